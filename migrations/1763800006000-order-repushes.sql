-- What of an order its listings were last pushed again for, though no ledger event tells of it: a poll lists the same
-- order again and again, and each time is not news.
ALTER TABLE orders ADD COLUMN repushed_key text;
