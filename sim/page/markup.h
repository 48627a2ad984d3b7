#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// HTML and SVG, written so that no text of a scenario can become markup.
namespace sim::page {

// For text and attribute values: & < > " ' are replaced, control characters dropped.
std::string escaped(std::string_view text);

// <tag attributes>content</tag>; `content` is markup already, `attributes` too.
std::string element(std::string_view tag, std::string_view attributes, std::string_view content);

// A table whose first column names its rows; cells are markup already.
struct Table {
  std::string caption;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};
std::string markup(const Table& table);

// A drawing. Coordinates are tenths of a pixel: integers, so that the same run gives the same bytes
// everywhere.
class Svg {
 public:
  using Tenths = std::int64_t;
  struct Point {
    Tenths x = 0;
    Tenths y = 0;
  };
  enum class Anchor : std::uint8_t { start, middle, end };

  // `title` and `description` are what a screen reader says.
  Svg(Tenths width, std::string title, std::string description)
      : width_(width), title_(std::move(title)), description_(std::move(description)) {}

  // `css` is a class of the page's style sheet. With a `tip`, a pointer that rests on it shows that.
  void rect(Point at, Tenths width, Tenths height, std::string_view css, std::string_view tip = {});
  void line(Point from, Point to, std::string_view css);
  void polyline(const std::vector<Point>& points, std::string_view css);
  void dot(Point at, Tenths radius, std::string_view css, std::string_view tip = {});
  void text(Point at, Anchor anchor, std::string_view css, std::string_view words);

  std::string markup(Tenths height) const;

 private:
  Tenths width_;
  std::string title_;
  std::string description_;
  std::string body_;
};

// About so wide is a text of the page's small size: enough to keep texts apart.
Svg::Tenths width_of(std::string_view words);

// Moves labels, each wanted at its height, apart so that none lies on another; in their order of height, and
// not below `bottom`.
struct Label {
  Svg::Tenths y = 0;
  std::string words;
  std::string css;
};
void spread(std::vector<Label>& labels, Svg::Tenths top, Svg::Tenths bottom);

}  // namespace sim::page
