import type { IncomingMessage } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { Api } from '../../../test/support/http.ts';
import { createProbeApp } from '../../../test/support/probe-app.ts';
import { currentContext } from '../kernel/context.ts';
import { readSettings, SettingsError } from '../settings.ts';
import { ClientAddresses, faultOfAddressRange, networkOf } from './client-address.ts';

function requestFrom(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

const PROXIES = ['10.0.0.0/8', '192.0.2.7', '2001:db8:ffff::/48'];

describe('ClientAddresses.of', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:CB00:7109', '203.0.113.9'],
    ['2001:0DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    [undefined, null],
  ])('is the other end of the connection: %s is %s', (remote, address) => {
    expect(new ClientAddresses([]).of(requestFrom(remote))).toBe(address);
  });

  it('believes no header of anybody but a trusted proxy', () => {
    expect(new ClientAddresses([]).of(requestFrom('10.0.0.1', '198.51.100.1'))).toBe('10.0.0.1');
    expect(new ClientAddresses(PROXIES).of(requestFrom('203.0.113.9', '198.51.100.1'))).toBe('203.0.113.9');
    expect(new ClientAddresses(PROXIES).of(requestFrom('192.0.2.8', '198.51.100.1'))).toBe('192.0.2.8');
  });

  it.each([
    ['198.51.100.1', '198.51.100.1', 'whom the proxy saw'],
    ['6.6.6.6, 198.51.100.1', '198.51.100.1', 'not what the client wrote before it'],
    ['10.9.9.9, 6.6.6.6,198.51.100.1 , 10.0.0.2,192.0.2.7', '198.51.100.1', 'the first stranger from the right'],
    ['6.6.6.6, 198.51.100.1, ::ffff:10.0.0.2, 2001:db8:ffff:1::5', '198.51.100.1', 'through proxies of both kinds'],
    ['198.51.100.1:4711', '198.51.100.1', 'without its port'],
    ['[2001:db8::5]:4711', '2001:db8::5', 'without brackets and port'],
    ['2001:DB8::5', '2001:db8::5', 'in one form'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3', 'a machine behind the proxies that is trusted itself'],
    ['198.51.100.1, unknown', '10.0.0.1', 'the proxy, where it says nothing'],
    ['198.51.100.1, 010.0.0.1, 10.0.0.2', '10.0.0.2', 'the last that is sure, where an entry is no address'],
    ['198.51.100.1,', '10.0.0.1', 'the proxy, where the last entry is empty'],
    ['', '10.0.0.1', 'the proxy, where there is no entry'],
  ])('of %s is %s: %s', (forwarded, address) => {
    expect(new ClientAddresses(PROXIES).of(requestFrom('10.0.0.1', forwarded))).toBe(address);
    expect(new ClientAddresses(PROXIES).of(requestFrom('::ffff:10.0.0.1', forwarded))).toBe(address);
  });
});

describe('networkOf', () => {
  it('takes all addresses that one client has for one', () => {
    expect(networkOf('203.0.113.9')).toBe('203.0.113.9');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8:1:2::1')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8:1:3::1')).not.toBe('2001:db8:1:2::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
  });
});

describe('TRUSTED_PROXIES', () => {
  it('names addresses and ranges', () => {
    expect(readSettings({ TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.7,2001:db8::/32' }).trustedProxies).toEqual([
      '10.0.0.0/8',
      '192.0.2.7',
      '2001:db8::/32',
    ]);
    expect(readSettings({}).trustedProxies).toBeNull();
    expect(readSettings({ TRUSTED_PROXIES: '' }).trustedProxies).toBeNull();
  });

  it.each([
    'proxy',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0',
    '0.0.0.0/0',
    '::/0',
    '::ffff:10.0.0.0/104',
    '::ffff:10.0.0.1',
    'fe80::1%1',
    '1.2.3.4/8/8',
  ])('is not %s', (given) => {
    expect(faultOfAddressRange(given)).not.toBeNull();
    expect(() => readSettings({ TRUSTED_PROXIES: `10.0.0.1,${given}` })).toThrow(SettingsError);
  });
});

@Controller('v1/whence')
class WhenceController {
  @Get()
  whence(): object {
    return { address: currentContext().address };
  }
}

@Module({ controllers: [WhenceController] })
class WhenceModule {}

describe('The context of a request', () => {
  const addressOf = async (env: Record<string, string>, headers: Record<string, string | string[]>) => {
    const app = await createProbeApp(env, [WhenceModule]);
    await app.listen(0, '127.0.0.1');
    const api = new Api(await app.getUrl(), 4, null);
    try {
      return (await api.get<{ address: string }>('/v1/whence', headers)).body.address;
    } finally {
      api.close();
      await app.close();
    }
  };

  it('has the address of the socket, whatever the header says', async () => {
    expect(await addressOf({}, { 'x-forwarded-for': '198.51.100.1', 'x-real-ip': '198.51.100.1' })).toBe('127.0.0.1');
  });

  it('has the address that a trusted proxy appended, also where the header came twice', async () => {
    const env = { TRUSTED_PROXIES: '127.0.0.1' };
    expect(await addressOf(env, { 'x-forwarded-for': ['6.6.6.6', '198.51.100.1'] })).toBe('198.51.100.1');
  });
});
