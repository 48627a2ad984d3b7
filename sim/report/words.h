#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

// Small pieces of text that several commands need.
namespace sim::report {

// In single quotes, as a POSIX shell reads them.
inline std::string in_single_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// As one word of a POSIX shell: in quotes if it must be.
inline std::string shell_word(const std::string& word) {
  const bool is_plain =
      !word.empty() &&
      word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-") ==
          std::string::npos;
  return is_plain ? word : in_single_quotes(word);
}

// What is wrong with a file or folder.
inline Problem problem_with(const std::filesystem::path& where, std::string message, std::string hint = {}) {
  Problem problem;
  problem.file = where.string();
  problem.message = std::move(message);
  problem.hint = std::move(hint);
  return problem;
}

}  // namespace sim::report
