# The node agent, the controller and the command, as an image:
#
#   docker build -t registry.example/stevedore:0.1.0 .
#
# NODE_IMAGE is any image with Node 24 and glibc; the fast paths call into the OpenSSL of the
# official Node binary.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No package needs its install script.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY agent agent
COPY controller controller
COPY proto proto
RUN node agent/build.js && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
# As a package that npm has installed: there the build runs, whatever the times of its files.
WORKDIR /usr/local/lib/node_modules/stevedore
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/agent/stevedore.js agent/
COPY --from=build /build/agent/engine/base/current-build.js agent/engine/base/
COPY --from=build /build/dist dist
# `stevedore`, and the name by which Velero's own DaemonSet starts its image.
RUN ln -s "$PWD/agent/stevedore.js" /usr/local/bin/stevedore \
 && ln -s "$PWD/agent/stevedore.js" /velero

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
ENTRYPOINT ["stevedore"]
CMD ["node-agent", "server"]
