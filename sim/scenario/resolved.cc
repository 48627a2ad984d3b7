#include "scenario/resolved.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string_view>

namespace sim::scenario {

namespace {

bool is_plain_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-+/@%()").find(c) != std::string_view::npos;
}

// Whether any YAML reader takes it for the same text without quotes.
bool is_plain(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.front() == '@' || text.front() == '%' ||
      text.front() == '+')
    return false;
  for (const char* word : {"true", "false", "yes", "no", "on", "off", "null", "Null", "NULL", "~"}) {
    if (text == word) return text == "true" || text == "false";
  }
  return std::all_of(text.begin(), text.end(), is_plain_char);
}

bool is_whole_number(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string by_number(unsigned code) {
  char text[8];
  std::snprintf(text, sizeof text, "\\x%02X", code);
  return text;
}

// Control characters by their number: a scenario file holds none, and a terminal obeys them.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const auto byte = static_cast<unsigned char>(c);
    const auto next = static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : '\0');
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 to U+009F
      result += by_number(next);
      ++at;
    } else if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '\r') {
      result += "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += by_number(byte);
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string printed(std::string_view text) {
  return is_plain(text) || is_whole_number(text) ? std::string(text) : quoted(text);
}

std::string in_one_line(const Value& value) {
  std::string text;
  switch (value.kind) {
    case Value::Kind::null: return "null";
    case Value::Kind::scalar: return printed(value.text);
    case Value::Kind::list:
      for (const Value& item : value.items) text += (text.empty() ? "" : ", ") + in_one_line(item);
      return "[" + text + "]";
    case Value::Kind::map:
      for (const Entry& entry : value.entries)
        text += (text.empty() ? "" : ", ") + printed(entry.key) + ": " + in_one_line(entry.value);
      return "{" + text + "}";
  }
  return text;
}

// Small maps without maps of maps, such as {p50: 2ms, p99: 9ms}, stay in one line; blocks of properties do
// not.
bool fits_in_a_line(const Value& value) {
  constexpr std::size_t kMostEntries = 4;
  return !value.is_map() || value.entries.empty() ||
         (value.entries.size() <= kMostEntries &&
          std::all_of(value.entries.begin(), value.entries.end(), [](const Entry& entry) {
            return entry.key.find('.') == std::string::npos &&
                   (entry.value.is_scalar() ||
                    (entry.value.is_map() && entry.value.entries.size() <= kMostEntries &&
                     std::all_of(entry.value.entries.begin(), entry.value.entries.end(),
                                 [](const Entry& inner) { return inner.value.is_scalar(); })));
          }));
}

void print(const Value& map, const std::string& indent, std::string& out) {
  for (const Entry& entry : map.entries) {
    out += indent + printed(entry.key) + ":";
    const Value& value = entry.value;
    if (value.is_list() && !value.items.empty() && value.items.front().is_map()) {
      out += "\n";
      for (const Value& item : value.items) out += indent + "  - " + in_one_line(item) + "\n";
    } else if (fits_in_a_line(value) && !indent.empty()) {
      out += " " + in_one_line(value) + "\n";
    } else if (!value.is_map() || value.entries.empty()) {
      out += " " + in_one_line(value) + "\n";
    } else {
      out += "\n";
      print(value, indent + "  ", out);
    }
  }
}

}  // namespace

std::string print_yaml(const Value& root) {
  std::string out;
  print(root, "", out);
  return out;
}

std::string text_in_yaml(std::string_view text) {
  return printed(text);
}

}  // namespace sim::scenario
