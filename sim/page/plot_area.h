#pragma once

#include <string_view>

#include "page/markup.h"

// Where every drawing of a page has its data: names and ticks stand left of it, names of lines right of it.
namespace sim::page {

inline constexpr Svg::Tenths kDrawingWidth = 9600;
inline constexpr Svg::Tenths kPlotLeft = 1000;
inline constexpr Svg::Tenths kPlotRight = 8300;
// Letters that fit left of the data, and right of it.
inline constexpr std::size_t kLettersLeft = 15;
inline constexpr std::size_t kLettersRight = 18;
// From the middle of a small text down to its base line.
inline constexpr Svg::Tenths kToBaseLine = 38;

// A name or a tick left of the data, its middle at this height.
inline void text_left(Svg& svg, Svg::Tenths middle, std::string_view words) {
  svg.text({kPlotLeft - 60, middle + kToBaseLine}, Svg::Anchor::end, "small", words);
}
inline void text_right(Svg& svg, Svg::Tenths middle, std::string_view css, std::string_view words) {
  svg.text({kPlotRight + 60, middle + kToBaseLine}, Svg::Anchor::start, css, words);
}
// A line across the data at a value, and the value.
inline void value_line(Svg& svg, Svg::Tenths y, std::string_view words) {
  svg.line({kPlotLeft, y}, {kPlotRight, y}, "grid");
  text_left(svg, y, words);
}
// A line up the data at a value of the lower axis, and the value beneath it.
inline void value_column(Svg& svg, Svg::Tenths x, Svg::Tenths top, Svg::Tenths bottom,
                         std::string_view words) {
  svg.line({x, top}, {x, bottom}, "grid");
  svg.text({x, bottom + 150}, Svg::Anchor::middle, "small", words);
}

}  // namespace sim::page
