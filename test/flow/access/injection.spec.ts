import { ADMIN_KEY } from '../../support/guarded-app.ts';
import { freshDatabase } from '../../support/databases.ts';
import { type RawAnswer, sendRaw } from '../../support/raw-http.ts';
import { ServerProcess } from '../../support/start-process.ts';

const FORGED = '{"level":"info","msg":"forged"}';

/** Where a caller can put text that the server repeats in an answer, writes to its log, or stores. */
const HEADERS = [
  'X-Correlation-Id',
  'X-Forwarded-For',
  'Forwarded',
  'traceparent',
  'tracestate',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'User-Agent',
  'Referer',
  'Origin',
  'Accept',
  'X-Api-Key',
  'Authorization',
  'Cookie',
  'X-HTTP-Method-Override',
  'X-Original-URL',
];

/** Bytes as latin1; the first four are no headers that a server may take as one value. */
const VALUES: readonly (readonly [name: string, value: string])[] = [
  ['a line break', `a\r\nX-Evil: 1\r\nSet-Cookie: evil=1`],
  ['a bare line feed', `a\nX-Evil: 1`],
  ['a bare carriage return', `a\rX-Evil: 1`],
  ['a folded line', `a\r\n X-Evil: 1`],
  ['a zero byte', 'a\u0000X-Evil: 1'],
  ['an escape sequence', '\u001b[31mX-Evil: 1\u001b[0m'],
  ['an encoded line break', 'a%0d%0aX-Evil:%201'],
  ['a line of the log', `a"}\\n${FORGED}`],
  ['UTF-8', Buffer.from('ä😀\u2028\u202e').toString('latin1')],
  ['a wide line break', Buffer.from('嘊嘍X-Evil: 1').toString('latin1')],
  ['a template', '${jndi:ldap://127.0.0.1/a}'],
  ['markup', '<script>alert(1)</script>'],
];

/** Control characters, and what some viewers of logs take for the end of a line. */
function hasControls(text: string): boolean {
  return /[\p{Cc}\u2028\u2029]/u.test(text);
}

describe('What a caller puts into a header or an address', () => {
  it('becomes no header, no line of the log and no other answer', async () => {
    const database = await freshDatabase('sqlite');
    const env = { AUTH: 'on', HOLDFAST_ADMIN_KEY: ADMIN_KEY, DATABASE_URL: database.url, LOG_LEVEL: 'trace' };
    const server = await ServerProcess.start(env);
    const faults: string[] = [];
    let sent = 0;
    const look = (what: string, answer: RawAnswer) => {
      sent += 1;
      if (answer.status >= 500 || answer.status < 200) faults.push(`${what}: ${answer.status} ${answer.text}`);
      const names = Object.keys(answer.headers);
      const strange = names.filter((name) => /evil|cookie/i.test(name));
      if (strange.length > 0) faults.push(`${what}: the answer has ${strange.join(', ')}`);
      const echoed = Object.entries(answer.headers).filter(([, value]) => /evil|<script|jndi|forged/i.test(value));
      if (echoed.length > 0) faults.push(`${what}: ${JSON.stringify(echoed)} is repeated`);
      // Markup may stand in a problem document, which no browser takes for a page (transport.spec.ts); control characters not.
      if (hasControls(answer.text.replaceAll('\n', ''))) faults.push(`${what}: ${answer.text}`);
      if (answer.headers['x-correlation-id'] === undefined) faults.push(`${what}: no correlation id`);
    };
    const key = `X-Api-Key: ${ADMIN_KEY}\r\n`;
    const rest = 'Host: x\r\nConnection: close\r\n';
    try {
      for (const header of HEADERS) {
        const who = ['X-Api-Key', 'Authorization'].includes(header) ? '' : key;
        for (const [name, value] of VALUES) {
          const head = `GET /v1/locations HTTP/1.1\r\n${rest}${who}${header}: ${value}\r\n\r\n`;
          look(`${header} with ${name}`, await sendRaw(server.url, head));
        }
      }
      for (const [name, value] of VALUES) {
        const put = `PUT /v1/products/P HTTP/1.1\r\n${rest}${key}Content-Type: application/json\r\nIdempotency-Key: ${value}\r\n`;
        const body = '{"name":"P"}';
        look(`a write, ${name}`, await sendRaw(server.url, `${put}Content-Length: ${body.length}\r\n\r\n${body}`));
        const path = encodeURIComponent(value);
        for (const target of [
          `/v1/products/${path}`,
          `/${path}`,
          `/v1/products?cursor=${path}`,
          `/v1/products?${path}=1`,
        ]) {
          look(target, await sendRaw(server.url, `GET ${target} HTTP/1.1\r\n${rest}${key}\r\n`));
        }
        look(
          `the address, ${name}`,
          await sendRaw(server.url, `GET /v1/products/${value} HTTP/1.1\r\n${rest}${key}\r\n`),
        );
      }
      const { output } = await server.stop();
      const lines = output
        .split('\n')
        .filter((line) => line !== '' && !/^(Holdfast listens|Try the API|Callers need)/.test(line));
      expect(lines.length).toBeGreaterThan(sent / 2);
      for (const line of lines) {
        // A line that is not ours would be no JSON, or would lack what every line of ours has.
        const parsed = JSON.parse(line) as { pid?: number; msg?: string };
        if (parsed.pid === undefined || parsed.msg === 'forged') faults.push(`a line of the log: ${line}`);
        if (hasControls(line)) faults.push(`control characters in the log: ${line}`);
      }
      expect(faults).toEqual([]);
    } finally {
      await server.kill();
      await database.drop();
    }
  });
});
