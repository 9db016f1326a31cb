-- What was given up is counted at every look at the metrics, beside thirty days of what was delivered.
CREATE INDEX deliveries_given_up ON deliveries (receiver) WHERE state = 'given-up';
