-- Which traces made a listing dirty, as W3C traceparents: the last few, written only where traces are collected. They
-- go with the row, once its push was taken.
ALTER TABLE dirty_listings ADD COLUMN traces text[];
