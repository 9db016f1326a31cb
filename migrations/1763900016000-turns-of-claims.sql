-- Oldest first, and what is tried again from the moment it is due. By not_before alone it came after all that was never
-- tried, so that while a queue did not end it never had its turn.
DROP INDEX dirty_listings_due;
CREATE INDEX dirty_listings_due ON dirty_listings (channel, greatest(since, not_before)) WHERE parked_at IS NULL;
DROP INDEX inbox_received_of_channel;
CREATE INDEX inbox_received_of_channel ON inbox (channel, greatest(received_at, not_before), id) WHERE state = 'received';
