#include "telemetry/program_images.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <span>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

namespace wsproxy::telemetry {
namespace {

using Bytes = std::span<const unsigned char>;

std::string hexadecimal(Bytes bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

constexpr std::size_t padded(std::size_t size) {
  return (size + 3) & ~std::size_t{3};
}

/// Of a segment of notes (elf(5)): each has a header, a name and a description, both padded.
std::string build_id_in(Bytes notes) {
  ElfW(Nhdr) note{};
  while (notes.size() >= sizeof note) {
    std::memcpy(&note, notes.data(), sizeof note);
    notes = notes.subspan(sizeof note);
    const std::size_t name_size = padded(note.n_namesz);
    const std::size_t size = name_size + padded(note.n_descsz);
    if (size > notes.size()) break;
    const bool is_gnu = note.n_namesz == 4 && std::memcmp(notes.data(), "GNU", 4) == 0;
    if (is_gnu && note.n_type == NT_GNU_BUILD_ID) {
      return hexadecimal(notes.subspan(name_size, note.n_descsz));
    }
    notes = notes.subspan(size);
  }
  return {};
}

std::string own_name() {
  std::string path(4096, '\0');
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return path.empty() ? "program" : path;
}

ProgramImage image_of(const dl_phdr_info& info) {
  ProgramImage image;
  std::uint64_t end = 0;
  for (const ElfW(Phdr) & segment : std::span{info.dlpi_phdr, info.dlpi_phnum}) {
    const std::uint64_t address = info.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD) {
      end = std::max(end, address + segment.p_memsz);
    } else if (segment.p_type == PT_NOTE && image.build_id.empty()) {
      // Mapped, as the loader says. NOLINTNEXTLINE(performance-no-int-to-ptr)
      const auto* bytes = reinterpret_cast<const unsigned char*>(address);
      image.build_id = build_id_in({bytes, segment.p_memsz});
    }
  }
  const std::string path = info.dlpi_name != nullptr && *info.dlpi_name != '\0' ? info.dlpi_name : own_name();
  image.name = path.substr(path.rfind('/') + 1);
  image.base = info.dlpi_addr;
  image.size = end > image.base ? end - image.base : 0;
  return image;
}

}  // namespace

std::vector<ProgramImage> program_images() {
  std::vector<ProgramImage> images;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* into) {
        static_cast<std::vector<ProgramImage>*>(into)->push_back(image_of(*info));
        return 0;
      },
      &images);
  return images;
}

std::string program_build_id() {
  const auto images = program_images();
  return images.empty() ? "" : images.front().build_id;
}

}  // namespace wsproxy::telemetry
