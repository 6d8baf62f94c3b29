'use strict';

/**
 * Calls of one node-soap client, as the JSON object on standard input says:
 *
 *   wsdl, url     of the service
 *   texts         what is sent to Echo, one call for each
 *   client        options of soap.createClientAsync
 *   key, certificate, signing   files in PEM, and options of WSSecurityCert
 *   username, password, token   of a UsernameToken, and options of WSSecurity; without username there is none
 *
 * Standard output is a JSON array of what came of each call: {"text": …} or {"status": …, "fault": …}.
 */
const { readFileSync } = require('node:fs');
const soap = require('soap');

function security(asked) {
  const read = (name) => readFileSync(name, 'ascii');
  const signing = new soap.WSSecurityCert(read(asked.key), read(asked.certificate), '', asked.signing);
  if (asked.username === null) {
    return signing;
  }
  return new soap.WSSecurityPlusCert(new soap.WSSecurity(asked.username, asked.password, asked.token), signing);
}

async function outcome(client, text) {
  try {
    const [answer] = await client.EchoAsync({ text });
    return { text: answer.text };
  } catch (error) {
    if (error.response === undefined) {
      throw error;
    }
    return { status: error.response.status, fault: String(error.response.data) };
  }
}

async function main() {
  const asked = JSON.parse(readFileSync(0, 'utf8'));
  const client = await soap.createClientAsync(asked.wsdl, asked.client, asked.url);
  client.setSecurity(security(asked));
  const outcomes = [];
  for (const text of asked.texts) {
    outcomes.push(await outcome(client, text));
  }
  process.stdout.write(JSON.stringify(outcomes));
}

main();
