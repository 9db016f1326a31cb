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

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
