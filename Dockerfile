# The node agent, the controller and the command, as an image:
#
#   docker build --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) \
#     -t registry.example/stevedore:0.1.0 .
#
# for linux/amd64 and linux/arm64 (`docker buildx build --platform …`); nothing of the other
# architecture is run. docs/releasing.md has the same without Docker. NODE_IMAGE is any image with
# Node 24 and glibc; the fast paths call into the OpenSSL of the official Node binary.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No package needs its install script.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# The time of every file, in seconds; there is no repository here to ask.
ARG SOURCE_DATE_EPOCH=0
ARG TARGETARCH
RUN mkdir /image && node release/build-image.ts /image --arch "$TARGETARCH"

FROM ${NODE_IMAGE}
# What that is says release/image-parts.ts: of this repository and its packages what runs, and in
# /usr/share/doc/stevedore what there is in it.
COPY --from=build /image /
LABEL org.opencontainers.image.title="Stevedore" \
      org.opencontainers.image.description="A per-node file-system data mover for Kubernetes" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"

# Nothing is written but to /tmp, /cache and volumes: the root file system may be read-only.
# The agent runs as root without most of its power. It needs, each tried by leaving it out:
#   DAC_OVERRIDE  read and write files of anybody, in directories of anybody
#   CHOWN         give files back to their owners
#   FOWNER        modes, times, ACLs and attributes of files that belong to others
#   FSETID        keep the set-group-id bit of files whose group is another
#   SETFCAP       file capabilities (security.capability)
#   MKNOD         device nodes
# and, where volumes hold such things: SYS_ADMIN for trusted.* attributes, LINUX_IMMUTABLE for the
# flags +i and +a. charts/stevedore drops all others.
USER 0
ENV NODE_ENV=production
EXPOSE 8085
# No HEALTHCHECK: the same image is the agent, the controller and a command that ends, and
# Kubernetes asks by the probes of the chart.
ENTRYPOINT ["stevedore"]
CMD ["node-agent", "server"]
