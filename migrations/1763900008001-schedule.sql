-- When each recurring task is due, and what is known of long work, over all hosts and restarts. Owned by src/jobs.

CREATE TABLE schedule (
  name text PRIMARY KEY,
  job text NOT NULL,
  key text,
  every_seconds integer NOT NULL CHECK (every_seconds > 0),
  -- When a host last said that it has this task: one that no host has any more is left alone.
  declared_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  -- Whoever runs it now. Renewed while the run goes on, so that a killed host holds it for seconds only.
  lease uuid,
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  started_at timestamptz,
  finished_at timestamptz,
  seconds double precision,
  outcome text CHECK (outcome IN ('done', 'failed')),
  error text,
  runs bigint NOT NULL DEFAULT 0,
  failures bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Work that takes minutes: asked for once, done by one host, resumed by another, cancelled, reported.
CREATE TABLE tasks (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  -- What it works on, such as a channel; one task of a kind and subject is open at a time.
  subject text NOT NULL,
  params jsonb NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  done bigint NOT NULL DEFAULT 0,
  total bigint,
  note text,
  -- How far it has come, for whoever goes on with it.
  checkpoint jsonb,
  report jsonb,
  error text,
  error_code text,
  cancel_asked_at timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  lease uuid,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX tasks_open ON tasks (kind, subject) WHERE state IN ('queued', 'running');
CREATE INDEX tasks_of ON tasks (kind, subject, asked_at DESC);
CREATE INDEX tasks_asked ON tasks (asked_at DESC);
