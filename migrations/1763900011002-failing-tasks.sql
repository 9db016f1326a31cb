-- Since when every run of a recurring task has failed: one failure among many is no trouble, a row of them is.
ALTER TABLE schedule ADD COLUMN failing_since timestamptz;
