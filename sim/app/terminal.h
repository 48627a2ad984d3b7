#pragma once

#include <cstdint>

namespace sim::app {

enum class ColorMode : std::uint8_t { automatic, always, never };

// What the two streams can show. Nothing of it reaches an output file.
struct Terminal {
  bool color_out = false;
  bool color_err = false;
  bool progress = false;  // stderr is a terminal: somebody watches
};

// --color first; then NO_COLOR (https://no-color.org), CLICOLOR_FORCE and TERM=dumb; then whether it is a
// terminal.
Terminal look_at_terminal(ColorMode mode);

}  // namespace sim::app
