import { eventually } from '../support/eventually.ts';
import { RawConnection } from '../support/raw-http.ts';
import { useShop } from '../support/shop.ts';

const LIVE = 'GET /health/live HTTP/1.1\r\nHost: shop\r\n\r\n';

/** @returns the status of an answer; null: the connection was closed without one */
async function statusOf(connection: RawConnection): Promise<number | null> {
  connection.write(LIVE);
  return connection.answer().then(
    ({ status }) => status,
    () => null,
  );
}

async function openAll(url: string, count: number): Promise<RawConnection[]> {
  const opened: RawConnection[] = [];
  for (let i = 0; i < count; i += 1) opened.push(await RawConnection.open(url));
  return opened;
}

describe('Connections from one address', () => {
  const shop = useShop('sqlite', { CONNECTIONS_PER_ADDRESS_MAX: '3' });

  it('are no more than CONNECTIONS_PER_ADDRESS_MAX; one that is closed makes way', async () => {
    shop.api.close();
    const connections = await openAll(shop.url, 5);
    const statuses = await Promise.all(connections.map(statusOf));
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(statuses.filter((status) => status === null)).toHaveLength(2);
    connections.forEach((connection) => {
      connection.close();
    });
    await eventually('the places are free', async () => {
      const again = await RawConnection.open(shop.url);
      const status = await statusOf(again);
      again.close();
      return status === 200;
    });
    const { text } = await shop.api.get('/metrics');
    expect(text).toMatch(/http_refused_connections_total\{limit="address"\} [2-9]/);
  });
});

describe('Connections in all', () => {
  const shop = useShop('sqlite', {
    CONNECTIONS_MAX: '2',
    TRUSTED_PROXIES: '127.0.0.1',
    CONNECTIONS_PER_ADDRESS_MAX: '1',
  });

  it('are no more than CONNECTIONS_MAX, also through a proxy, which is no client', async () => {
    shop.api.close();
    const connections = await openAll(shop.url, 4);
    const statuses = await Promise.all(connections.map(statusOf));
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
    connections.forEach((connection) => {
      connection.close();
    });
    await eventually('it is counted', async () => {
      const { text } = await shop.api.get('/metrics');
      return /http_refused_connections_total\{limit="all"\} [2-9]/.test(text);
    });
  });
});

describe('HEADERS_TIMEOUT_MS', () => {
  const shop = useShop('sqlite', { HEADERS_TIMEOUT_MS: '1000', REQUEST_TIMEOUT_MS: '600000' });

  it.each([
    ['sends nothing', ''],
    ['stops in its headers', 'GET /health/live HTTP/1.1\r\nHost: shop\r\nX-Slow: '],
  ])('ends a connection that %s', async (_what, bytes) => {
    const connection = await RawConnection.open(shop.url);
    if (bytes !== '') connection.write(bytes);
    const answer = await connection.answer();
    expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([408, 'REQUEST_TIMEOUT']);
    await connection.rest();
  });
});
