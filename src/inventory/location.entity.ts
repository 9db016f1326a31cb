import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A place that holds stock. */
@Entity('locations')
export class LocationEntity {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS' })
  id: number;

  @Column('text')
  code: string;

  @Column('text')
  name: string;

  /** Stock is taken from the smallest number first. */
  @Column('integer')
  priority: number;

  /** The channel that holds and counts what is there, and alone sells it; null for a place of our own. */
  @Column('text', { name: 'counted_by', nullable: true })
  countedBy: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
