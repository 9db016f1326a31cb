import { useState } from 'preact/hooks';
import { call } from '../api';
import { useApi } from '../hooks';
import { Badge, OwnCount, Section, Shown } from '../parts/basics';
import { DoButton } from '../parts/do';
import { skuLink } from '../parts/levels';
import { type Column, Table } from '../parts/table';
import { Time } from '../parts/time';
import { linkTo, useQuery } from '../route';
import { useMay } from '../session';
import type { Page } from '../types';
import { PolicyDialog } from './buffer-policy';

/** A policy as it is written: its scope, the figures that it sets, its windows. */
export interface Policy {
  name: string;
  channel?: string;
  tag?: string;
  sku?: string;
  windows?: BufferWindow[];
  origin?: 'file' | 'api';
  [figure: string]: unknown;
}

export interface BufferWindow {
  from: string;
  to: string;
  units?: number;
  percent?: number;
  releaseSteps?: number;
  releaseSeconds?: number;
}

const NO_FIGURES = ['name', 'channel', 'tag', 'sku', 'windows', 'origin'];

export function figuresOf(policy: Policy): [string, unknown][] {
  return Object.entries(policy).filter(([key]) => !NO_FIGURES.includes(key));
}

/** Every policy, and the forms that change them: tried out first. */
export function Policies() {
  const policies = useApi<Page<Policy>>('/v1/buffers/policies');
  const [{ policy: asked }] = useQuery();
  const mayAct = useMay('channels:write');
  const [edited, setEdited] = useState<Policy | 'new'>();
  return (
    <Section
      title="Policies"
      id="policies"
      beside={
        mayAct && (
          <button type="button" class="primary" onClick={() => setEdited('new')}>
            New policy
          </button>
        )
      }
    >
      <p class="quiet">
        For each figure the most specific policy that sets it counts: SKU before tag before channel before
        all. Those of <code>onhand.yaml</code> are changed there.
      </p>
      {asked && <AboutAsked name={asked} known={policies.data?.items.some(({ name }) => name === asked)} />}
      <Shown
        of={policies}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <p>
            There is no policy yet; what is withheld is what the host and its channels set in onhand.yaml.
          </p>
        }
      >
        {({ items }) => (
          <Table
            label="Policies"
            items={
              asked ? items.toSorted((a, b) => Number(b.name === asked) - Number(a.name === asked)) : items
            }
            keyOf={({ name }) => name}
            columns={columnsFor(mayAct, setEdited, policies.reload)}
          />
        )}
      </Shown>
      {edited && (
        <PolicyDialog
          policy={edited === 'new' ? undefined : edited}
          onClose={(done) => {
            setEdited(undefined);
            if (done) policies.reload();
          }}
        />
      )}
    </Section>
  );
}

/** A waterfall names what withholds; not all of it is a policy. */
function AboutAsked({ name, known }: { name: string; known: boolean | undefined }) {
  if (known === undefined) return null;
  return (
    <p class="notice">
      {known ? (
        <>
          “{name}” stands first. <a href={linkTo('/buffers')}>All alike</a>
        </>
      ) : (
        <>
          “{name}” is no policy: it is set in <code>onhand.yaml</code> or with the listing itself.
        </>
      )}
    </p>
  );
}

function columnsFor(mayAct: boolean, edit: (policy: Policy) => void, reload: () => void): Column<Policy>[] {
  const acts: Column<Policy> = {
    name: 'Do',
    class: 'actions',
    of: (policy) =>
      policy.origin === 'file' ? (
        <span class="quiet">in onhand.yaml</span>
      ) : (
        <>
          <button type="button" aria-label={`Change ${policy.name}`} onClick={() => edit(policy)}>
            Change
          </button>
          <RemovePolicy name={policy.name} onDone={reload} />
        </>
      ),
  };
  return [
    { name: 'Policy', heading: true, of: ({ name }) => name },
    { name: 'For', of: (policy) => <Scope of={policy} /> },
    {
      name: 'Sets',
      class: 'long',
      of: (policy) =>
        figuresOf(policy)
          .map(([key, value]) => `${key} ${String(value)}`)
          .join(', '),
    },
    {
      name: 'Windows',
      of: ({ windows = [] }) =>
        windows.map((window) => (
          <div key={window.from}>
            <WindowState of={window} /> <Time at={window.from} /> to <Time at={window.to} />:{' '}
            {[window.units && `${window.units} units`, window.percent && `${window.percent} %`]
              .filter(Boolean)
              .join(' or ')}
          </div>
        )),
    },
    ...(mayAct ? [acts] : []),
  ];
}

function Scope({ of: { channel, tag, sku } }: { of: Policy }) {
  if (!channel && !tag && !sku) return <>everything</>;
  return (
    <>
      {sku && <a href={skuLink(sku, { show: 'withheld' })}>{sku}</a>}
      {tag && (
        <a class="tag" href={linkTo('/stock', { tag })}>
          {tag}
        </a>
      )}
      {channel && ` on ${channel}`}
    </>
  );
}

function WindowState({ of: { from, to } }: { of: BufferWindow }) {
  const now = Date.now();
  if (now < Date.parse(from)) return <Badge tone="plain">to come</Badge>;
  if (now < Date.parse(to)) return <Badge tone="warn">open</Badge>;
  return <Badge tone="plain">over</Badge>;
}

export interface DryRun {
  listings: number;
  changes: number;
  unitsFrom: number;
  unitsTo: number;
}

export function DryRunWords({ of: { listings, changes, unitsFrom, unitsTo } }: { of: DryRun }) {
  return (
    <>
      Of <OwnCount of={listings} as="reckoned" /> listings, <OwnCount of={changes} as="reckoned" /> would show
      another number: <OwnCount of={unitsFrom} as="reckoned" /> units now,{' '}
      <OwnCount of={unitsTo} as="reckoned" /> then, once releases are through.
    </>
  );
}

function RemovePolicy({ name, onDone }: { name: string; onDone: () => void }) {
  const path = `/v1/buffers/policies/${encodeURIComponent(name)}`;
  return (
    <DoButton
      needs="channels:write"
      label="Remove"
      name={`Remove ${name}`}
      deed={{
        title: `Remove “${name}”`,
        explains: <WhatItChanges path={path} />,
        confirm: 'Remove it',
        act: async () => {
          await call('DELETE', path);
          return { done: `“${name}” is removed` };
        },
      }}
      onDone={onDone}
    />
  );
}

/** Asked of the host while the dialog is open: nothing is changed by asking. */
function WhatItChanges({ path }: { path: string }) {
  const [told, setTold] = useState<DryRun | string>();
  useState(() => {
    call<DryRun>('DELETE', `${path}?dryRun=true`).then(setTold, (error: Error) => setTold(error.message));
  });
  return (
    <p aria-live="polite">
      {told === undefined ? (
        'Finding out what that would change…'
      ) : typeof told === 'string' ? (
        told
      ) : (
        <>
          <DryRunWords of={told} /> It can be made again.
        </>
      )}
    </p>
  );
}
