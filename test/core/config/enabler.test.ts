import { describe, expect, it } from '@jest/globals';
import { ENABLERS } from '../../../lambdas/core/catalogue/enablers';
import { renderConfig } from '../../../lambdas/core/config/render';
import { configVersion } from '../../../lambdas/core/config/version';
import { type LbConfig, nodeConfig } from '../../../lambdas/core/node-config';
import { anEnabler } from '../../node-configs';

function filesOf(config: Parameters<typeof renderConfig>[0]): Record<string, string> {
  return Object.fromEntries(renderConfig(config, '00c0ffee').map(({ name, content }) => [name, content]));
}

describe.each(ENABLERS.map(({ name }) => name))('the files of %s', (role) => {
  const files = filesOf(anEnabler(role));

  it('are an environment that a node takes and a file that may be empty', () => {
    expect(Object.keys(files)).toEqual(['service.conf', 'service.env']);
    const lines = files['service.env']?.trimEnd().split('\n') ?? [];
    expect(lines.filter((line) => !/^[A-Z][A-Z0-9_]*=[A-Za-z0-9:/?=&.,_-]*$/.test(line))).toEqual([]);
    expect(lines).toContain('FIWARE_HA_CONFIG_VERSION=00c0ffee');
    expect(lines.filter((line) => /^FIWARE_HA_IMAGE=[a-z0-9./-]+:[0-9.]+$/.test(line))).toHaveLength(1);
    expect(lines.filter((line) => /^FIWARE_HA_PORTS=\d+(,\d+)*$/.test(line))).toHaveLength(1);
  });

  it('are made of a configuration that a message may carry', () => {
    expect(nodeConfig.parse(JSON.parse(JSON.stringify(anEnabler(role))))).toEqual(anEnabler(role));
  });
});

describe('a choice of a role', () => {
  it('reaches its file, and where its process reads that', () => {
    const files = filesOf(anEnabler('cygnus', { options: { channel: 'file' } }));
    expect(files['service.conf']).toContain('CygnusFileChannel');
    expect(files['service.env']).toContain('FIWARE_HA_CONF_PATH=/opt/apache-flume/conf/agent-fiware-ha.conf\n');
    expect(files['service.env']).toContain('FIWARE_HA_KEEPS=/var/lib/cygnus\n');
    expect(filesOf(anEnabler('cygnus', { options: { channel: 'memory' } }))['service.conf']).toBe('');
  });

  it('lets one agent alone listen where an MQTT broker knows no shared subscriptions', () => {
    const options = { mqtt: { host: 'mqtt.city', port: 1883, shared: false } };
    expect(filesOf(anEnabler('iotagent-json', { options }))['service.env']).toContain('IOTA_MQTT_HOST=mqtt.city\n');
    expect(filesOf(anEnabler('iotagent-json', { options, index: 2 }))['service.env']).toContain('IOTA_MQTT_DISABLED=true\n');
  });

  it('with a newline or a quote is refused before it reaches a file', () => {
    for (const host of ['mqtt\nEVIL=1', 'mqtt"', "mqtt'", '$(id)'])
      expect(nodeConfig.safeParse(anEnabler('iotagent-ul', { options: { mqtt: { host, port: 1883, shared: true } } })).success).toBe(false);
  });
});

describe('haproxy.cfg', () => {
  const lb: LbConfig = {
    role: 'lb',
    port: 1026,
    brokers: [{ slot: 'ctx1', ip: '10.0.2.11' }],
    services: [
      { role: 'sth-comet', ports: { north: 8666 }, servers: [{ slot: 'sth1', ip: '10.0.4.11' }] },
      { role: 'iotagent-json', ports: { north: 4041, south: 17896 }, servers: [] },
      {
        role: 'cygnus',
        ports: { north: 5051 },
        servers: [
          { slot: 'cyg1', ip: '10.0.8.11' },
          { slot: 'cyg2', ip: '10.0.8.21' },
        ],
      },
    ],
    ip: '10.0.1.11',
    peers: [],
    virtualRouterId: 51,
    advertIntervalS: 0.3,
    protocol: 'http',
  };
  const text = filesOf(lb)['haproxy.cfg'] ?? '';

  it('offers every role at its port, each checked in its own way', () => {
    for (const bind of [':1026', ':8666', ':4041', ':17896', ':5051']) expect(text).toContain(`  bind ${bind}\n`);
    expect(text).toContain('http-check send meth GET uri /STH/v2/entities/fiware-ha-probe');
    expect(text).toContain('  server sth1 10.0.4.11:8666\n');
  });

  it('sends all to the first of a pair, and to the next once that fails', () => {
    expect(text).toContain('  server cyg1 10.0.8.11:5051 port 5080\n  server cyg2 10.0.8.21:5051 port 5080 backup\n');
  });

  it('has an offer without anybody to send to, which answers so', () => {
    expect(text).toContain('backend iotj_south_pool');
  });

  it('without other roles is the one that there was before there were any', () => {
    const { services: _, ...alone } = lb;
    expect(filesOf(alone)['haproxy.cfg']).not.toContain('sth');
    expect(configVersion(alone)).not.toBe(configVersion(lb));
  });
});
