#include "scenario/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "scenario/suggest.h"

namespace sim::scenario {

namespace {

// The first byte that makes it no text: control characters but tab and line ends, or broken UTF-8.
std::size_t first_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 ? (byte != '\t' && byte != '\n' && byte != '\r') : byte == 0x7F) return i;
    const std::size_t length = byte < 0x80   ? 1
                               : byte < 0xC2 ? 0
                               : byte < 0xE0 ? 2
                               : byte < 0xF0 ? 3
                               : byte < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return i;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

const BuiltinFile* find_builtin(std::string_view name) {
  for (const BuiltinFile& file : builtin_files()) {
    if (file.name == name ||
        (file.name.ends_with(".yaml") && file.name.substr(0, file.name.size() - 5) == name))
      return &file;
  }
  return nullptr;
}

bool read_builtin(std::string_view name, std::string& text, std::string& why_not) {
  const BuiltinFile* file = find_builtin(name);
  if (file == nullptr) {
    why_not = "is not a built-in scenario: kraftsim list shows them";
    return false;
  }
  text.clear();
  for (const std::string_view piece : file->pieces) text += piece;
  return true;
}

std::string not_a_text(const char* what, std::string_view text, std::size_t bad) {
  char message[80];
  std::snprintf(message, sizeof message, "%s: byte %zu is 0x%02x", what, bad + 1,
                static_cast<unsigned>(static_cast<unsigned char>(text[bad])));
  return message;
}

// take(piece) says whether to go on.
template <class Take>
bool read_pieces(const std::string& path, std::string& why_not, Take take) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    why_not = "is a folder, not a file";
    return false;
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr) {
    why_not = errno == ENOENT ? "does not exist" : std::string("cannot be read: ") + std::strerror(errno);
    return false;
  }
  char buffer[65'536];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, file.get())) != 0;) {
    if (!take(std::string_view(buffer, got))) return false;
  }
  if (std::ferror(file.get()) == 0) return true;
  why_not = "cannot be read";
  return false;
}

bool read_bytes(const std::string& path, std::size_t most_bytes, std::string& text, std::string& why_not) {
  return read_pieces(path, why_not, [&](std::string_view piece) {
    text.append(piece);
    if (text.size() <= most_bytes) return true;
    why_not = "is larger than " + std::to_string(most_bytes >> 20) + " MiB";
    return false;
  });
}

}  // namespace

bool read_file(const std::string& path, std::size_t most_bytes, std::string& text, std::string& why_not) {
  text.clear();
  if (path.starts_with('@')) return read_builtin(std::string_view(path).substr(1), text, why_not);
  if (!read_bytes(path, most_bytes, text, why_not)) return false;
  const std::size_t bad = first_bad_byte(text);
  if (bad == std::string_view::npos) return true;
  why_not = not_a_text("is not a UTF-8 text", text, bad);
  return false;
}

bool read_properties_file(const std::string& path, std::size_t most_bytes, std::string& bytes, bool& is_utf8,
                          std::string& why_not) {
  bytes.clear();
  const bool read = path.starts_with('@') ? read_builtin(std::string_view(path).substr(1), bytes, why_not)
                                          : read_bytes(path, most_bytes, bytes, why_not);
  if (!read) return false;
  std::string without_form_feeds = bytes;
  std::replace(without_form_feeds.begin(), without_form_feeds.end(), '\f', ' ');
  const std::size_t bad = first_bad_byte(without_form_feeds);
  is_utf8 = bad == std::string_view::npos;
  if (is_utf8 || static_cast<unsigned char>(bytes[bad]) >= 0x80) return true;
  why_not = not_a_text("is not a text", bytes, bad);
  return false;
}

bool copy_file(const std::string& path, const std::function<void(std::string_view)>& take,
               std::string& why_not) {
  if (!path.starts_with('@')) {
    return read_pieces(path, why_not, [&](std::string_view piece) {
      take(piece);
      return true;
    });
  }
  std::string text;
  if (!read_builtin(std::string_view(path).substr(1), text, why_not)) return false;
  take(text);
  return true;
}

std::string similar_scenario(const std::string& path) {
  std::vector<std::string> names;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code failed;
  for (std::filesystem::directory_iterator at(folder.empty() ? "." : folder, failed), end;
       !failed && at != end; at.increment(failed)) {
    if (at->path().extension() == ".yaml") names.push_back((folder / at->path().filename()).string());
  }
  std::sort(names.begin(), names.end());
  const std::size_t on_disk = names.size();
  for (const BuiltinFile& file : builtin_files()) {
    if (file.name.ends_with(".yaml"))
      names.push_back("@" + std::string(file.name.substr(0, file.name.size() - 5)));
  }
  const std::string stem = path.starts_with('@') ? path : "@" + std::filesystem::path(path).stem().string();
  const std::vector<std::string_view> all(names.begin(), names.end());
  const std::string_view file =
      nearest(path, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(on_disk)});
  return std::string(
      file.empty() ? nearest(stem, {all.begin() + static_cast<std::ptrdiff_t>(on_disk), all.end()}) : file);
}

std::string locate(const std::string& scenario_file, const std::string& path) {
  if (path.starts_with('@') || path.starts_with('/')) return path;
  if (scenario_file.starts_with('@')) return "@" + path;
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(scenario_file).parent_path();
  const std::filesystem::path beside = (folder / path).lexically_normal();
  if (std::filesystem::exists(beside, ignored)) return beside.string();
  if (std::filesystem::exists(path, ignored)) return path;
  for (std::filesystem::path above = folder; above.has_relative_path(); above = above.parent_path()) {
    const std::filesystem::path found = (above.parent_path() / path).lexically_normal();
    if (std::filesystem::exists(found, ignored)) return found.string();
  }
  return beside.string();
}

}  // namespace sim::scenario
