-- What key figures count is read by time. As on the ledger (docs/decisions/0032), with an entry for some pages and not for
-- each row, so that orders and pushes cost as little as before.
CREATE INDEX idempotency_keys_recorded ON idempotency_keys USING brin (recorded_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX reservations_created ON reservations USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);
-- When the channel showed, or said to have, what it was sent.
CREATE INDEX pushes_synced ON pushes USING brin (coalesce(confirmed_at, answered_at)) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX buffer_changes_changed ON buffer_changes USING brin (changed_at) WITH (pages_per_range = 16, autosummarize = on);
-- These have few rows, which change often.
CREATE INDEX shortfalls_recorded ON shortfalls (recorded_at);
CREATE INDEX oversells_opened ON oversells (opened_at);
