# docker build -t wsproxy .          the image has the binary, what it links, CA certificates and a user
# docker build --target symbols --output symbols .      wsproxy.debug of the same build, for scripts/symbolize
# docker build --target sbom --output sbom .            wsproxy.spdx.json of the same build
# Nothing here names an architecture. docker-bake.hcl has the labels and both architectures; docs/image.md the rest.
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim
# For the labels and the SBOM. VERSION is CMakeLists.txt's, or that and a suffix.
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE_DATE_EPOCH=0

FROM ${BASE_IMAGE} AS build
WORKDIR /source
# Debian as it was at a moment of snapshot.debian.org, such as 20261101T000000Z; else what the base image's mirror has now.
ARG DEBIAN_SNAPSHOT=
COPY scripts/install-packages scripts/use-snapshot scripts/
RUN scripts/use-snapshot "${DEBIAN_SNAPSHOT}" && scripts/install-packages build ccache
COPY scripts/split-debug scripts/
COPY CMakeLists.txt ./
COPY cmake cmake
COPY src src
# ccache goes by the compiler's bytes: all files of a layer may bear one and the same time.
ARG COMPILER_LAUNCHER=ccache
RUN --mount=type=cache,target=/ccache \
    export CCACHE_DIR=/ccache CCACHE_COMPILERCHECK=content CCACHE_MAXSIZE=1G \
 && cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DCMAKE_CXX_COMPILER_LAUNCHER="${COMPILER_LAUNCHER}" \
 && ninja -C /build \
 && scripts/split-debug /build/wsproxy /symbols
COPY LICENSE ./
COPY scripts/image-root scripts/make-sbom scripts/
ARG VERSION
ARG REVISION
ARG SOURCE
ARG SOURCE_DATE_EPOCH
RUN scripts/image-root /build /image /packages \
 && scripts/make-sbom /image /packages >/tmp/sbom \
 && install -D -m 644 /tmp/sbom /image/usr/share/sbom/wsproxy.spdx.json \
 && find /image -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM scratch AS symbols
COPY --from=build /symbols /

FROM scratch AS sbom
COPY --from=build /image/usr/share/sbom /

FROM scratch
COPY --from=build /image /
# After the files: Buildah would take labels of other values from its cache, were it not for an SBOM that has these too.
ARG BASE_IMAGE
ARG VERSION
ARG REVISION
ARG SOURCE
ARG CREATED
LABEL org.opencontainers.image.title="wsproxy" \
      org.opencontainers.image.description="A WebSocket proxy beside an application that gives its clients permessage-deflate" \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.documentation="${SOURCE:+${SOURCE}#readme}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
USER 65532:65532
# Inside a container loopback is nobody else's; what may reach the ports is the operator's choice.
ENV WS_PROXY_HOST=0.0.0.0 WS_PROXY_ADMIN=0.0.0.0:9090
EXPOSE 8009 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/bin/wsproxy", "probe"]
ENTRYPOINT ["/usr/bin/wsproxy"]
CMD ["run"]
