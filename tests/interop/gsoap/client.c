/* A client of the echo service. It calls once and writes the text of the answer to standard output.

       client URL TEXT [NAME VALUE]...

   The names:
       username, password   a UsernameToken of type PasswordDigest
       soap                 "2": SOAP 1.2
       key, certificate     PEM files: Body, Timestamp and tokens are signed with SHA-256
       recipient            PEM file of a certificate: the Body is encrypted for it
       cipher               how: CBC (the default), GCM or 3DES; by rsa-1_5, or by OAEP where the name ends in -OAEP
       authorities          PEM file: the answer must be signed under them, its Body and its Timestamp
       opened               "1": the answer must be encrypted for the key

   A Timestamp is always sent. The exit status is 0 if the answer came and everything that was asked of it holds, 1 if
   not, with a line on standard error that says what does not, and 2 if the program was not used as said here. */

#include <stdlib.h>
#include <string.h>

#include "wsseapi.h"

#include "Echo.nsmap"

#define OF_TOKEN "Token"
#define LIFETIME 300

struct options
{
    const char *username, *password, *soap, *key, *certificate, *recipient, *cipher, *authorities, *opened;
};

static const char wsu[] = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";

static void misused(const char *what)
{
    fprintf(stderr, "misused: %s\n", what);
    exit(2);
}

static const char **option(struct options *options, const char *name)
{
    const struct { const char *name; const char **value; } known[] = {
        {"username", &options->username}, {"password", &options->password}, {"soap", &options->soap},
        {"key", &options->key}, {"certificate", &options->certificate}, {"recipient", &options->recipient},
        {"cipher", &options->cipher}, {"authorities", &options->authorities}, {"opened", &options->opened},
    };
    for (size_t index = 0; index < sizeof known / sizeof *known; index++)
        if (!strcmp(name, known[index].name))
            return known[index].value;
    misused(name);
    return NULL;
}

static FILE *file(const char *name)
{
    FILE *opened = name ? fopen(name, "r") : NULL;
    if (!opened)
        misused(name ? name : "a file is missing");
    return opened;
}

static EVP_PKEY *private_key(const char *name)
{
    FILE *opened = file(name);
    EVP_PKEY *key = PEM_read_PrivateKey(opened, NULL, NULL, NULL);
    fclose(opened);
    if (!key)
        misused(name);
    return key;
}

static X509 *certificate(const char *name)
{
    FILE *opened = file(name);
    X509 *read = PEM_read_X509(opened, NULL, NULL, NULL);
    fclose(opened);
    if (!read)
        misused(name);
    return read;
}

static int algorithm_of(const char *cipher)
{
    static const struct { const char *name; int algorithm; } known[] = {
        {"CBC", SOAP_MEC_ENV_ENC_AES256_CBC}, {"GCM", SOAP_MEC_ENV_ENC_AES256_GCM}, {"3DES", SOAP_MEC_ENV_ENC_DES_CBC},
        {"CBC-OAEP", SOAP_MEC_ENV_ENC_AES256_CBC | SOAP_MEC_OAEP},
    };
    for (size_t index = 0; index < sizeof known / sizeof *known; index++)
        if (!strcmp(cipher, known[index].name))
            return known[index].algorithm;
    misused(cipher);
    return 0;
}

static int signature_of(EVP_PKEY *key)
{
    return EVP_PKEY_base_id(key) == EVP_PKEY_EC ? SOAP_SMD_SIGN_ECDSA_SHA256 : SOAP_SMD_SIGN_RSA_SHA256;
}

static int secure(struct soap *soap, const struct options *options, EVP_PKEY *key)
{
    if (soap_wsse_add_Timestamp(soap, "Time", LIFETIME))
        return soap->error;
    if (options->username
        && soap_wsse_add_UsernameTokenDigest(soap, "User", options->username, options->password))
        return soap->error;
    if (key
        && (soap_wsse_add_BinarySecurityTokenX509(soap, OF_TOKEN, certificate(options->certificate))
            || soap_wsse_add_KeyInfo_SecurityTokenReferenceX509(soap, "#" OF_TOKEN)
            || soap_wsse_sign_body(soap, signature_of(key), key, 0)))
        return soap->error;
    if (options->recipient
        && soap_wsse_add_EncryptedKey(soap, algorithm_of(options->cipher), "Key", certificate(options->recipient), NULL,
                                      NULL, NULL))
        return soap->error;
    return SOAP_OK;
}

static int expect(struct soap *soap, const struct options *options, EVP_PKEY *key)
{
    if (options->authorities)
    {
        soap->cafile = options->authorities;
        if (soap_wsse_verify_auto(soap, SOAP_SMD_NONE, NULL, 0))
            return soap->error;
    }
    /* Which cipher it was, the answer says. */
    return options->opened ? soap_wsse_decrypt_auto(soap, SOAP_MEC_ENV_DEC_AES256_CBC, key, 0) : SOAP_OK;
}

static int verify(struct soap *soap, const struct options *options)
{
    if (options->opened && !soap_wsse_EncryptedKey(soap))
        return soap_sender_fault(soap, "the answer is not encrypted", NULL);
    if (!options->authorities)
        return SOAP_OK;
    if (soap_wsse_verify_Timestamp(soap) || soap_wsse_verify_body(soap))
        return soap->error;
    if (soap_wsse_verify_element(soap, wsu, "Timestamp") != 1)
        return soap_sender_fault(soap, "the Timestamp of the answer is not signed", NULL);
    return SOAP_OK;
}

int main(int count, char **words)
{
    struct options options = {.cipher = "CBC", .password = ""};
    if (count < 3 || count % 2 == 0)
        misused("client URL TEXT [NAME VALUE]...");
    for (int index = 3; index < count; index += 2)
        *option(&options, words[index]) = words[index + 1];

    struct soap *soap = soap_new1(SOAP_XML_CANONICAL | SOAP_C_UTFSTRING);
    soap->connect_timeout = soap->send_timeout = soap->recv_timeout = 20;
    if (options.soap)
        soap_set_version(soap, atoi(options.soap));
    soap_register_plugin(soap, soap_wsse);
    EVP_PKEY *key = options.key ? private_key(options.key) : NULL;
    struct e__EchoResponse answer = {NULL};
    if (secure(soap, &options, key) || expect(soap, &options, key)
        || soap_call_e__Echo(soap, words[1], "", words[2], &answer) || verify(soap, &options))
    {
        soap_print_fault(soap, stderr);
        return 1;
    }
    fputs(answer.text, stdout);
    return 0;
}
