-- These rows are written again when they are answered, shipped or given back, and take the room of older ones: soon some of
-- them were new in every range of pages, and each key figure read a good part of the table.
DROP INDEX pushes_synced;
CREATE INDEX pushes_synced ON pushes (coalesce(confirmed_at, answered_at))
  WHERE state IN ('applied', 'confirmed') AND dirty_since IS NOT NULL;
DROP INDEX reservations_created;
CREATE INDEX reservations_created ON reservations (created_at);
