// The echo service, as soapcpp2 reads it: the header of a C program and comments that say what is sent.

//gsoap e service name: Echo
//gsoap e service style: document
//gsoap e service encoding: literal
//gsoap e service namespace: urn:echo
//gsoap e schema namespace: urn:echo
//gsoap e schema form: qualified

#import "wsse.h"

struct e__EchoResponse
{
    char *text 1:1;
};

int e__Echo(char *text 1:1, struct e__EchoResponse *answer);
