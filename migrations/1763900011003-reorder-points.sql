-- With so many units left, or fewer, a SKU is to be bought again. Null: nobody said.
ALTER TABLE skus ADD COLUMN reorder_point bigint;
ALTER TABLE skus ADD CONSTRAINT skus_reorder_point CHECK (reorder_point >= 0) NOT VALID;
CREATE INDEX skus_reordered ON skus (id) WHERE reorder_point IS NOT NULL;
