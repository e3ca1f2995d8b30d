# The build stage carries the git history along for the binary's version stamp.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -tags nomsgpack -trimpath -ldflags '-s -w' -o /out/tokenwright . \
 && mkdir -m 0700 /out/data /out/tmp

FROM scratch
# For rediss:// and other outgoing TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/tokenwright /tokenwright
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
# The default paths are relative: data/tokenwright.db is /data/tokenwright.db.
WORKDIR /
VOLUME /data
ENV LISTEN=0.0.0.0:8000
EXPOSE 8000
# No shell is in the image, so the binary asks itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/tokenwright", "healthcheck"]
ENTRYPOINT ["/tokenwright"]
CMD ["serve"]
