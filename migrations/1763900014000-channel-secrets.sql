-- What channels were given at run time and must not lose, such as refresh tokens, sealed with a key that is not here.
CREATE TABLE channel_secrets (
  channel text NOT NULL,
  name text NOT NULL,
  -- Which of the hosts' keys opens it: the beginning of a hash.
  key_id text NOT NULL,
  -- Nonce, ciphertext and tag of AES-256-GCM, bound to channel and name.
  sealed bytea NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (channel, name)
);
