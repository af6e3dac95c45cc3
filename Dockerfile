# The four images, one target each: mcp-operator, mcp-metrics-adapter, mcp-gateway, mcp-sidecar.
#   docker build --target mcp-operator -t mcpfleet/mcp-operator:0.1.0 .
# hack/images builds them all with buildah, without a registry.
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY hack/deps hack/deps
RUN hack/deps install build
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY src src
COPY operator operator
COPY metrics-adapter metrics-adapter
COPY gateway gateway
COPY tools tools
# ccache serves repeated builds where the builder mounts a directory there; elsewhere it is empty.
RUN CCACHE_DIR=/ccache CCACHE_COMPRESS=1 cmake --preset release \
 && CCACHE_DIR=/ccache cmake --build --preset release --target mcp-operator mcp-metrics-adapter mcp-gateway mcp-sidecar \
 && strip build/release/bin/mcp-*

FROM ${BASE_IMAGE} AS runtime
COPY hack/deps /tmp/deps
RUN /tmp/deps install runtime && rm -rf /tmp/deps /var/lib/apt/lists/* /var/cache/apt
USER 65532:65532

FROM runtime AS mcp-operator
COPY --from=build /src/build/release/bin/mcp-operator /mcp-operator
ENTRYPOINT ["/mcp-operator"]

FROM runtime AS mcp-metrics-adapter
COPY --from=build /src/build/release/bin/mcp-metrics-adapter /mcp-metrics-adapter
ENTRYPOINT ["/mcp-metrics-adapter"]

FROM runtime AS mcp-gateway
COPY --from=build /src/build/release/bin/mcp-gateway /mcp-gateway
ENTRYPOINT ["/mcp-gateway"]

# Nothing but one static binary: it must also run inside any other image.
FROM scratch AS mcp-sidecar
COPY --from=build /src/build/release/bin/mcp-sidecar /mcp-sidecar
USER 65532:65532
ENTRYPOINT ["/mcp-sidecar"]
