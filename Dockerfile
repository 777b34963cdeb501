# Waitpoint without Cloudflare: docs/self-hosting.md.
FROM node:22-bookworm AS build
COPY --from=rust:1-bookworm /usr/local/cargo /usr/local/cargo
COPY --from=rust:1-bookworm /usr/local/rustup /usr/local/rustup
ENV CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup PATH=/usr/local/cargo/bin:$PATH
WORKDIR /app
COPY . .
RUN npm run build -- worker

FROM node:22-bookworm-slim
# Webhooks go to https.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app/package.json /app/wrangler.toml ./
COPY --from=build /app/scripts scripts
COPY --from=build /app/node_modules/smol-toml node_modules/smol-toml
COPY --from=build /app/node_modules/@cloudflare node_modules/@cloudflare
COPY --from=build /app/build build
RUN install -d -o node -g node -m 700 /data
USER node
VOLUME /data
EXPOSE 8787
ENTRYPOINT ["node", "scripts/serve.mjs", "--bundle", "build", "--data", "/data", "--host", "0.0.0.0"]
