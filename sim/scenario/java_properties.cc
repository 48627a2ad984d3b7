#include "scenario/java_properties.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sim::scenario {

namespace {

bool is_java_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f';
}
bool ends_line(char c) {
  return c == '\n' || c == '\r';
}

void append_utf8(std::string& to, std::uint32_t code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | (code >> 6));
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | (code >> 12));
    to += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    to += static_cast<char>(0xF0 | (code >> 18));
    to += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    to += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// A logical line: its characters, each with where it stands.
struct LogicalLine {
  struct Char {
    char c;
    int line;
    int column;
  };
  std::vector<Char> chars;
};

// LineReader.readLine
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  // Neither blank nor a comment.
  std::optional<LogicalLine> next() {
    while (at_ < text_.size()) {
      skip_blanks();
      if (at_ == text_.size()) break;
      if (ends_line(text_[at_])) {
        end_line();
        continue;
      }
      if (text_[at_] == '#' || text_[at_] == '!') {
        while (at_ < text_.size() && !ends_line(text_[at_])) ++at_;
        end_line();
        continue;
      }
      return logical_line();
    }
    return std::nullopt;
  }

 private:
  LogicalLine logical_line() {
    LogicalLine found;
    bool escaped = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (!ends_line(c)) {
        found.chars.push_back({c, line_, static_cast<int>(at_ - line_start_) + 1});
        escaped = c == '\\' && !escaped;
        continue;
      }
      end_line();
      if (!escaped) return found;
      found.chars.pop_back();  // the backslash, and the next line goes on
      escaped = false;
      skip_blanks();
      --at_;
    }
    if (escaped) found.chars.pop_back();  // a backslash at the very end stands for nothing
    return found;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_java_blank(text_[at_])) ++at_;
  }
  void end_line() {
    if (at_ == text_.size()) return;
    at_ += text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n' ? 2 : 1;
    ++line_;
    line_start_ = at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
};

// Properties.load0 and loadConvert: one logical line.
class LineParser {
 public:
  LineParser(const LogicalLine& line, Encoding encoding) : chars_(line.chars), encoding_(encoding) {}

  JavaProperty parse() {
    JavaProperty property;
    std::size_t name_end = 0;
    bool escaped = false;
    for (; name_end < chars_.size(); ++name_end) {
      const char c = chars_[name_end].c;
      if (!escaped && (c == '=' || c == ':' || is_java_blank(c))) break;
      escaped = c == '\\' && !escaped;
    }
    std::size_t value = name_end;
    while (value < chars_.size() && is_java_blank(chars_[value].c)) ++value;
    if (value < chars_.size() && (chars_[value].c == '=' || chars_[value].c == ':')) {
      ++value;
      while (value < chars_.size() && is_java_blank(chars_[value].c)) ++value;
    }
    property.name_place = place(0, name_end);
    property.value_place = value < chars_.size() ? place(value, chars_.size()) : property.name_place;
    property.name = resolved(0, name_end, property);
    if (property.problem.empty()) property.value = resolved(value, chars_.size(), property);
    if (!property.problem.empty()) property.name.clear();
    return property;
  }

 private:
  TextPlace place(std::size_t from, std::size_t to) const {
    if (chars_.empty()) return {};
    const LogicalLine::Char& first = chars_[from < chars_.size() ? from : chars_.size() - 1];
    TextPlace found{first.line, first.column, 0};
    for (std::size_t at = from; at < to && chars_[at].line == first.line; ++at) {
      if (!is_java_blank(chars_[at].c)) found.length = chars_[at].column - first.column + 1;
    }
    return found;
  }

  std::string resolved(std::size_t from, std::size_t to, JavaProperty& property) const {
    std::string text;
    std::uint32_t high_surrogate = 0;
    for (std::size_t at = from; at < to; ++at) {
      const char c = chars_[at].c;
      if (c != '\\') {
        append(text, c);
        continue;
      }
      if (++at == to) break;
      const char what = chars_[at].c;
      if (what != 'u') {
        append(text, what == 't'   ? '\t'
                     : what == 'n' ? '\n'
                     : what == 'r' ? '\r'
                     : what == 'f' ? '\f'
                                   : what);
        continue;
      }
      const std::optional<std::uint32_t> unit = code_unit(at + 1, to);
      if (!unit) {
        property.problem = "a \\u is followed by four hexadecimal digits (Kafka: Malformed \\uxxxx encoding)";
        property.name_place = place(at - 1, std::min(to, at + 5));
        return {};
      }
      at += 4;
      if (*unit >= 0xD800 && *unit < 0xDC00) {
        high_surrogate = *unit;
      } else if (*unit >= 0xDC00 && *unit < 0xE000) {
        if (high_surrogate != 0)
          append_utf8(text, 0x10000 + ((high_surrogate - 0xD800) << 10) + (*unit - 0xDC00));
        high_surrogate = 0;
      } else {
        append_utf8(text, *unit);
      }
    }
    return text;
  }

  std::optional<std::uint32_t> code_unit(std::size_t from, std::size_t to) const {
    if (to - from < 4 || from > to) return std::nullopt;
    std::uint32_t unit = 0;
    for (std::size_t at = from; at < from + 4; ++at) {
      const char c = chars_[at].c;
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      unit = unit << 4 | static_cast<std::uint32_t>(digit);
    }
    return unit;
  }

  void append(std::string& text, char c) const {
    if (encoding_ == Encoding::latin1) {
      append_utf8(text, static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }

  const std::vector<LogicalLine::Char>& chars_;
  Encoding encoding_;
};

}  // namespace

std::vector<JavaProperty> read_java_properties(std::string_view text, Encoding encoding) {
  std::vector<JavaProperty> properties;
  Lines lines(text);
  while (const std::optional<LogicalLine> line = lines.next())
    properties.push_back(LineParser(*line, encoding).parse());
  return properties;
}

std::string latin1_to_utf8(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) append_utf8(text, static_cast<unsigned char>(c));
  return text;
}

}  // namespace sim::scenario
