#pragma once

namespace sim::page {

// The page's style sheet: light and dark as the reader's system asks for, and black on white in print.
extern const char* const kStyleSheet;

}  // namespace sim::page
