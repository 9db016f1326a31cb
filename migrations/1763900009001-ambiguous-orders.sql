-- Documents of one revision may differ, as channels that time changes by the second send them. Which of them is in the
-- ledger is then not told by the revision, so that such an order is settled again each time it is listed.
ALTER TABLE orders ADD COLUMN ambiguous boolean NOT NULL DEFAULT false;
