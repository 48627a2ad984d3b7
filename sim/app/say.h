#pragma once

#include <cstdio>
#include <string>

#include "app/exit_code.h"
#include "app/render_problems.h"
#include "app/terminal.h"

// What commands say, to which stream.
namespace sim::app {

inline void print(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

// Shows what is wrong with what was asked; nothing was done.
inline int refuse(const Problems& problems, const Terminal& terminal) {
  print(stderr, render_problems(problems, terminal.color_err));
  return number(ExitCode::usage);
}

}  // namespace sim::app
