import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Our own master item. Never deleted: the ledger names it for ever. */
@Entity('skus')
export class SkuEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS' })
  id: number;

  /** Unique, case-sensitive. */
  @Column('text')
  code: string;

  @Column('text', { nullable: true })
  name: string | null;

  @Column('text', { nullable: true })
  barcode: string | null;

  @Column('text', { name: 'unit_of_measure' })
  unitOfMeasure: string;

  @Column('text', { array: true })
  tags: string[];

  /** With so many units left, or fewer, it is to be bought again; null where nobody said. */
  @Column('bigint', { name: 'reorder_point', nullable: true })
  reorderPoint: number | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date;
}
