# docker buildx bake                 the image for this machine, into the local store
# docker buildx bake release         for both architectures, to a registry, with provenance
# docker buildx bake sbom symbols    the bill of materials, the debug symbols: into sbom/ and symbols/
# The same commit and SOURCE_DATE_EPOCH, and a base that is pinned, give the same image: docs/image.md.

variable "IMAGE" { default = "wsproxy" }
variable "TAG" { default = "latest" }
# null leaves what the Dockerfile says.
variable "BASE_IMAGE" { default = null }
variable "DEBIAN_SNAPSHOT" { default = null }
variable "VERSION" { default = null }
variable "REVISION" { default = null }
variable "SOURCE" { default = null }
# git log -1 --format=%ct
variable "SOURCE_DATE_EPOCH" { default = "0" }

group "default" { targets = ["image"] }

target "base" {
  context = "."
  args = {
    BASE_IMAGE        = BASE_IMAGE
    DEBIAN_SNAPSHOT   = DEBIAN_SNAPSHOT
    VERSION           = VERSION
    REVISION          = REVISION
    SOURCE            = SOURCE
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
    CREATED           = timeadd("1970-01-01T00:00:00Z", "${SOURCE_DATE_EPOCH}s")
  }
}

target "image" {
  inherits = ["base"]
  tags     = ["${IMAGE}:${TAG}"]
  output   = ["type=docker"]
}

target "release" {
  inherits  = ["base"]
  tags      = ["${IMAGE}:${TAG}"]
  platforms = ["linux/amd64", "linux/arm64"]
  attest    = ["type=provenance,mode=max"]
  output    = ["type=image,push=true,oci-mediatypes=true,rewrite-timestamp=true"]
}

target "sbom" {
  inherits = ["base"]
  target   = "sbom"
  output   = ["type=local,dest=sbom"]
}

target "symbols" {
  inherits = ["base"]
  target   = "symbols"
  output   = ["type=local,dest=symbols"]
}
