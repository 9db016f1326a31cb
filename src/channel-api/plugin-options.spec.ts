import 'reflect-metadata';
import { Type as OtherType } from 'class-transformer';
import { IsString, Transform, Type, ValidateNested } from './option-rules';
import { resolvePluginOptions, unseenNesting } from './plugin-options';

/** Like the `Type` of another copy of class-transformer: it notes nothing where this one looks. */
const UnseenType =
  (_type: () => unknown): PropertyDecorator =>
  () =>
    undefined;

class Leaf {
  @IsString()
  word!: string;
}

class Branch {
  @ValidateNested()
  @UnseenType(() => Leaf)
  leaf!: Leaf;
}

class Tree {
  @ValidateNested()
  @Type(() => Branch)
  branch!: Branch;

  @ValidateNested({ each: true })
  @UnseenType(() => Leaf)
  leaves!: Leaf[];
}

class Seen {
  @ValidateNested()
  @Type(() => Leaf)
  leaf!: Leaf;

  @ValidateNested({ each: true })
  @OtherType(() => Leaf)
  leaves!: Leaf[];

  @ValidateNested()
  @Type(() => Seen)
  inner?: Seen;

  @ValidateNested()
  @Transform(({ value }) => Object.assign(new Leaf(), value))
  made!: Leaf;

  @ValidateNested()
  @Transform(() => {
    throw new Error('not of this');
  })
  picky?: Leaf;
}

test('nested options that would pass unvalidated are named, however deep', () => {
  expect(unseenNesting(Tree)).toEqual([
    expect.stringMatching(/^branch\.leaf: is nested, but has no @Type that the host can see/),
    expect.stringMatching(/^leaves: /),
  ]);
  expect(() => resolvePluginOptions({ name: 'tree', options: Tree }, {})).toThrow(/branch\.leaf: is nested/);
});

test('nested options with a type, or a transformation of their own, are fine, and so is a class within itself', () => {
  expect(unseenNesting(Seen)).toEqual([]);
  expect(unseenNesting(class {})).toEqual([]);
});
