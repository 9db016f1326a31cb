# syntax=docker/dockerfile:1

FROM node:20-bookworm-slim AS build
WORKDIR /app
# Before the sources: the layer with the dependencies is reused until a manifest or a plugin changes.
COPY package.json package-lock.json ./
COPY plugins plugins
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 ONHAND_DATA_DIR=/data
WORKDIR /app
COPY --from=build --chown=node:node /app ./
# The volume takes the owner of the folder it is first mounted on.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
# The slim image has no curl; node is there anyway.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "bin/onhand.js", "start"]
