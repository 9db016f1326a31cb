-- A push that was accepted with a receipt is followed until its channel has decided on it.
ALTER TABLE pushes ADD COLUMN decided_at timestamptz;
