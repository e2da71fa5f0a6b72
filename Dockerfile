# docker build -t wsproxy .          the image has the binary, what it links, CA certificates and a user
# docker build --target symbols --output symbols .      wsproxy.debug of the same build, for scripts/symbolize
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /source
COPY scripts/install-packages scripts/
RUN scripts/install-packages build
COPY scripts/split-debug scripts/
COPY CMakeLists.txt ./
COPY cmake cmake
COPY src src
RUN cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
 && ninja -C /build \
 && scripts/split-debug /build/wsproxy /symbols
# ldd names the loader by its path and each library behind an arrow; --parents keeps their folders, where
# the loader looks without a cache. libc itself resolves names (files and dns) since glibc 2.34.
RUN mkdir -p /image/usr/bin /image/etc/ssl/certs /image/usr/lib/ssl /image/tmp \
 && cp /build/wsproxy /image/usr/bin/ \
 && ldd /build/wsproxy | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' \
      | xargs cp --dereference --parents --target-directory=/image \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && ln -s /etc/ssl/certs/ca-certificates.crt /image/usr/lib/ssl/cert.pem \
 && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
 && echo 'nonroot:x:65532:65532::/:/nonexistent' >/image/etc/passwd \
 && echo 'nonroot:x:65532:' >/image/etc/group \
 && chmod 1777 /image/tmp

FROM scratch AS symbols
COPY --from=build /symbols /

FROM scratch
COPY --from=build /image /
USER 65532:65532
# Inside a container loopback is nobody else's; what may reach the ports is the operator's choice.
ENV WS_PROXY_HOST=0.0.0.0 WS_PROXY_ADMIN=0.0.0.0:9090
EXPOSE 8009 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/bin/wsproxy", "probe"]
ENTRYPOINT ["/usr/bin/wsproxy"]
CMD ["run"]
