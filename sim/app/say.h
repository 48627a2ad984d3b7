#pragma once

#include <cerrno>
#include <cstdio>
#include <string>

#include "app/exit_code.h"
#include "app/program_name.h"
#include "app/render_problems.h"
#include "app/terminal.h"

// What commands say, to which stream. Whether stdout took it all is asked once, when the command is done.
namespace sim::app {

// Why stdout did not take all that was printed; 0: it has so far.
inline int& output_error() {
  static int error = 0;
  return error;
}

// Bytes as they are: what another program is to read.
inline void print(std::FILE* stream, const std::string& text) {
  errno = 0;
  const bool is_whole = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  if (!is_whole && stream == stdout && output_error() == 0) output_error() = errno == 0 ? EIO : errno;
}

// What people are to read: the commands in it can be pasted here.
inline void tell(std::FILE* stream, const std::string& text) {
  print(stream, with_program_name(text));
}

// Shows what is wrong with what was asked; nothing was done.
inline int refuse(const Problems& problems, const Terminal& terminal) {
  tell(stderr, render_problems(problems, terminal.color_err));
  return number(ExitCode::usage);
}

}  // namespace sim::app
