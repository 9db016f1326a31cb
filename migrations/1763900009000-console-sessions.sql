-- Signed-in browsers. Neither the session's token nor the API key it stands for is kept, only their hashes.
CREATE TABLE console_sessions (
  token_hash bytea PRIMARY KEY,
  -- sha256 of the API key: a session ends when its key is revoked.
  key_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX console_sessions_expiry ON console_sessions (expires_at);
