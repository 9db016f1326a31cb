import { useState } from 'preact/hooks';
import { type ApiProblem, call } from '../api';
import { OwnCount, sentence } from '../parts/basics';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import type { Policy } from './buffer-policies';

interface Report {
  from: string;
  to: string;
  skus: number;
  candidates: {
    name: string;
    orders: number;
    oversoldOrders: number;
    oversold: number;
    lostOrders: number;
    lost: number;
  }[];
}

/** What the policy would have done with the ledger's own orders, beside what is in force and beside nothing. */
export function Backtest({ policy }: { policy: Policy }) {
  const [report, setReport] = useState<Report>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  async function run() {
    setBusy(true);
    const candidates = [{ name: policy.name, policies: [policy] }];
    await call<Report>('POST', '/v1/buffers/backtest', { candidates }).then(setReport, (error: ApiProblem) =>
      setProblem(error.message),
    );
    setBusy(false);
  }
  if (!report)
    return (
      <div class="buttons">
        <button type="button" disabled={busy} onClick={() => void run()}>
          {busy ? 'Replaying the ledger…' : 'What would it have done with past orders?'}
        </button>
        {problem && <p class="notice bad">{sentence(problem)}</p>}
      </div>
    );
  return (
    <>
      <p>
        {report.candidates[0]?.orders ? (
          <>
            The ledger’s order lines from <Time at={report.from} /> to <Time at={report.to} />, replayed:
          </>
        ) : (
          'The ledger holds no order of a channel yet, so there is nothing to replay.'
        )}
      </p>
      <Table
        label="Backtest"
        items={report.candidates}
        keyOf={({ name }) => name}
        columns={[
          { name: 'Policies', heading: true, of: ({ name }) => name },
          { name: 'Lines', number: true, of: ({ orders }) => <OwnCount of={orders} as="reckoned" /> },
          {
            name: 'Oversold',
            number: true,
            of: ({ oversoldOrders }) => <OwnCount of={oversoldOrders} as="reckoned" />,
          },
          {
            name: 'Units oversold',
            number: true,
            of: ({ oversold }) => <OwnCount of={oversold} as="reckoned" />,
          },
          {
            name: 'Not sold',
            number: true,
            of: ({ lostOrders }) => <OwnCount of={lostOrders} as="reckoned" />,
          },
          { name: 'Units not sold', number: true, of: ({ lost }) => <OwnCount of={lost} as="reckoned" /> },
        ]}
      />
    </>
  );
}
