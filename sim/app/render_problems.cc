#include "app/render_problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace sim::app {

namespace {

constexpr std::size_t kWidest = 140;  // bytes of a source line that are shown; more is cut around the caret

struct Paint {
  bool on;
  std::string operator()(std::string_view code, std::string_view text) const {
    return on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

// As wide as `text` is shown: a blank per character, tabs kept.
std::string blanks(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\t') {
      result += '\t';
    } else if (begins_character(c)) {
      result += ' ';
    }
  }
  return result;
}

struct Excerpt {
  std::string_view text;
  std::size_t caret = 0;  // offset within it
  bool cut_before = false, cut_after = false;
};

Excerpt excerpt_of(const Problem& problem) {
  Excerpt excerpt{problem.source_line, problem.column > 0 ? static_cast<std::size_t>(problem.column) - 1 : 0};
  if (excerpt.text.size() <= kWidest) return excerpt;
  std::size_t from = excerpt.caret < kWidest / 2 ? 0 : excerpt.caret - kWidest / 2;
  while (from > 0 && from < excerpt.text.size() && !begins_character(excerpt.text[from])) --from;
  std::size_t to = std::min(excerpt.text.size(), from + kWidest);
  while (to < excerpt.text.size() && !begins_character(excerpt.text[to])) ++to;
  excerpt.cut_before = from > 0;
  excerpt.cut_after = to < excerpt.text.size();
  excerpt.text = excerpt.text.substr(from, to - from);
  excerpt.caret -= from;
  return excerpt;
}

void show_line(const Problem& problem, Paint paint, std::string& out) {
  const Excerpt excerpt = excerpt_of(problem);
  const std::string before = excerpt.cut_before ? "..." : "";
  out += paint("2", fmt::format("{:>6} | ", problem.line)) + before + printable(excerpt.text) +
         (excerpt.cut_after ? "..." : "") + "\n";
  std::string carets;
  if (problem.column > 0) {
    const std::string_view marked =
        excerpt.text.substr(std::min(excerpt.caret, excerpt.text.size()),
                            static_cast<std::size_t>(std::max(problem.caret_length, 0)));
    carets = std::string(std::max<std::size_t>(1, blanks(printable(marked)).size()), '^');
  }
  if (carets.empty() && problem.hint.empty()) return;
  std::string below = blanks(before) +
                      blanks(printable(excerpt.text.substr(0, std::min(excerpt.caret, excerpt.text.size()))));
  if (!carets.empty()) below += paint("1;32", carets);
  if (!problem.hint.empty()) below += (carets.empty() ? "" : "      ") + printable(problem.hint);
  out += paint("2", "       | ") + below + "\n";
}

}  // namespace

std::string render_problems(const Problems& problems, bool color) {
  const Paint paint{color};
  std::string out;
  for (const Problem& problem : problems) {
    std::string place = printable(problem.file);
    if (problem.line > 0) place += fmt::format(":{}", problem.line);
    if (problem.line > 0 && problem.column > 0) place += fmt::format(":{}", problem.column);
    if (!place.empty()) out += paint("1", place + ":") + " ";
    out += (problem.warning ? paint("1;33", "warning:") : paint("1;31", "error:")) + " " +
           printable(problem.message) + "\n";
    if (problem.line > 0 && !problem.source_line.empty()) {
      show_line(problem, paint, out);
    } else if (!problem.hint.empty()) {
      out += "         " + printable(problem.hint) + "\n";
    }
  }
  return out;
}

}  // namespace sim::app
