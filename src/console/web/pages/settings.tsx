import { useApi } from '../hooks';
import type { ConsolePage } from '../pages';
import { Facts, Heading, Section, Shown } from '../parts/basics';
import { ConfigTree } from '../parts/config-tree';
import { Keys } from '../parts/keys';
import { Ago, Time } from '../parts/time';
import { useMay, useSession } from '../session';

export const settingsPage: ConsolePage = {
  path: '/settings',
  title: 'Settings',
  group: 'Host',
  // Each part says what it needs; that one is signed in, and as whom, anybody may see.
  needs: 'stock:read',
  View: Settings,
};

interface Configuration {
  versions: { onhand: string; node: string; postgresql: string };
  startedAt: string;
  config: Record<string, unknown>;
}

function Settings() {
  const { name, scopes, expiresAt } = useSession();
  const isAdmin = useMay('admin');
  return (
    <>
      <Heading title="Settings">
        What this host is set to. It is changed in <code>onhand.yaml</code>, but for keys, which are made
        here.
      </Heading>
      <Section id="session" title="This session">
        <div class="card">
          <Facts
            of={[
              ['Key', name],
              ['Scopes', scopes.join(', ')],
              ['Ends', <Time at={expiresAt} />],
            ]}
          />
        </div>
      </Section>
      {isAdmin ? (
        <>
          <Keys />
          <Host />
        </>
      ) : (
        <p class="notice">
          Keys and the configuration are shown to keys with the scope <code>admin</code>.
        </p>
      )}
    </>
  );
}

function Host() {
  const read = useApi<Configuration>('/v1/config');
  return (
    <Section id="host" title="Host">
      <Shown of={read}>
        {({ versions, startedAt, config }) => (
          <>
            <div class="card">
              <Facts
                of={[
                  ['Onhand', versions.onhand],
                  ['Node', versions.node],
                  ['PostgreSQL', versions.postgresql],
                  ['Running since', <Ago at={startedAt} />],
                  ['Configuration file', String(config.file ?? 'none')],
                ]}
              />
            </div>
            <h3>Configuration in force</h3>
            <p class="quiet">
              Of the host that answered. <code>[hidden]</code> stands for credentials, and for what came from
              a variable.
            </p>
            <ConfigTree of={config} />
          </>
        )}
      </Shown>
    </Section>
  );
}
