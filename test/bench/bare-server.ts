import 'reflect-metadata';
import { Body, Controller, Get, HttpCode, Module, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** The floor of the HTTP figures: the same framework, the same JSON, and nothing else. */
@Controller('v1')
class BareController {
  @Post('reservations')
  reserve(@Body() body: { lines: { sku: string; quantity: number }[] }) {
    const [line] = body.lines;
    return {
      id: '2f1c1b1e-5c1a-4c55-9d3f-0d5f6b0c7a11',
      state: 'confirmed',
      expiresAt: null,
      lines: [
        { line: 0, sku: line!.sku, location: 'main', quantity: 1, reserved: 1, fulfilled: 0, released: 0 },
      ],
    };
  }

  @Get('availability')
  availability(@Query('sku') sku: string) {
    return {
      items: [
        { sku, known: true, available: 499999999, locations: [{ location: 'main', available: 499999999 }] },
      ],
    };
  }
}

@Controller('webhooks')
class BareInquiries {
  @Post('ebay/stock-inquiry')
  @HttpCode(200)
  answer(@Body() { requestedQuantity }: { SKU: string; requestedQuantity: number }) {
    return {
      isAvailable: requestedQuantity <= 1_000,
      lastUpdated: 1_795_262_400,
      totalAvailableQuantity: 1_000,
    };
  }
}

@Module({ controllers: [BareController, BareInquiries] })
class BareModule {}

void (async () => {
  const app = await NestFactory.create(BareModule, { logger: false });
  await app.listen(Number(process.env.PORT), '127.0.0.1');
})();
