#include "app/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace sim::app {

namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

bool is_dumb() {
  return variable("TERM") == "dumb";
}

bool has_color(ColorMode mode, int fd) {
  if (mode != ColorMode::automatic) return mode == ColorMode::always;
  if (!variable("NO_COLOR").empty()) return false;
  if (const std::string_view force = variable("CLICOLOR_FORCE"); !force.empty() && force != "0") return true;
  return ::isatty(fd) != 0 && !is_dumb();
}

}  // namespace

Terminal look_at_terminal(ColorMode mode) {
  return Terminal{
      .color_out = has_color(mode, STDOUT_FILENO),
      .color_err = has_color(mode, STDERR_FILENO),
      .progress = ::isatty(STDERR_FILENO) != 0 && !is_dumb(),
  };
}

}  // namespace sim::app
