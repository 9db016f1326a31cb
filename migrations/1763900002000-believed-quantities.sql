-- A push compares with what the channel said it shows in answer to the last one, and with nothing it said since.

-- Null where it answered none yet, or took one without showing it; then what it is known to show is believed.
ALTER TABLE shown_quantities ADD COLUMN believed_units bigint;
