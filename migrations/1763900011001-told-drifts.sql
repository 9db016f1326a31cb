-- Which state of a drift receivers were told last: found, escalated or resolved.
ALTER TABLE drifts ADD COLUMN told text;
