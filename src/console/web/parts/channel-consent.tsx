import { useState } from 'preact/hooks';
import { type ApiProblem, call } from '../api';
import { type Fetched, useApi } from '../hooks';
import { ScopeNote, useMay } from '../session';
import { Badge, Section, sentence, Shown } from './basics';
import { Ago } from './time';
import { toast } from './toast';

interface Standing {
  consentUrl: string;
  given: boolean;
  endsAt: string | null;
}

/** For a channel whose owner consents in a browser: where, whether that is done, and a field for what came back. */
export function ConsentSection({ channel }: { channel: string }) {
  const may = useMay('channels:write');
  const path = `/v1/channels/${encodeURIComponent(channel)}/authorization`;
  const standing = useApi<Standing>(may ? path : undefined);
  return (
    <Section id="consent" title="Consent of the account’s owner">
      <ScopeNote needs="channels:write" to="see it and hand it in" />
      {may && (
        <Shown of={standing}>
          {(data) => (
            <div class="card">
              <p>
                <Given of={data} />
              </p>
              <HandIn channel={channel} path={path} standing={standing} />
            </div>
          )}
        </Shown>
      )}
    </Section>
  );
}

function Given({ of: { given, endsAt } }: { of: Standing }) {
  if (!given)
    return (
      <>
        <Badge tone="bad">needed</Badge> Nobody has consented yet, and the channel refuses every call.
      </>
    );
  return (
    <>
      <Badge tone="good">given</Badge>
      {endsAt && (
        <>
          {' '}
          to be renewed <Ago at={endsAt} />
        </>
      )}
    </>
  );
}

function HandIn({ channel, path, standing }: { channel: string; path: string; standing: Fetched<Standing> }) {
  const [answer, setAnswer] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await call('POST', path, { answer: answer.trim() });
      toast(`${channel} is signed in to.`);
      setAnswer('');
      standing.reload();
    } catch (error) {
      setProblem((error as ApiProblem).message);
    }
    setBusy(false);
  }

  return (
    <form class="row" onSubmit={(event) => void submit(event)}>
      <p>
        The owner opens{' '}
        <a href={standing.data!.consentUrl} target="_blank" rel="noreferrer">
          the page of the consent
        </a>
        , agrees, and is sent to another page. Its whole address goes here, within five minutes.
      </p>
      <label class="field grow">
        Address that the browser was sent to
        <input
          required
          maxLength={8192}
          autocomplete="off"
          value={answer}
          onInput={(event) => setAnswer(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary" disabled={busy}>
        Hand it in
      </button>
      {problem && (
        <p role="alert" class="notice bad">
          That was not done: {sentence(problem)}
        </p>
      )}
    </form>
  );
}
