-- A person may leave a listing as its channel shows it: until the channel shows another number, or another is expected.
ALTER TABLE drifts
  ADD COLUMN accepted_at timestamptz,
  ADD COLUMN accepted_by text,
  ADD COLUMN accepted_reason text;
