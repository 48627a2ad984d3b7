#include "page/markup.h"

#include <algorithm>

#include "base/human.h"

namespace sim::page {
namespace {

std::string px(Svg::Tenths tenths) {
  std::string text = fixed(tenths, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string attribute(std::string_view name, Svg::Tenths tenths) {
  return " " + std::string(name) + "=\"" + px(tenths) + "\"";
}

std::string with_tip(std::string_view tag, const std::string& attributes, std::string_view css,
                     std::string_view tip) {
  std::string made = "<" + std::string(tag) + attributes + " class=\"" + std::string(css) + "\"";
  if (tip.empty()) return made + "/>";
  return made + "><title>" + escaped(tip) + "</title></" + std::string(tag) + ">";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      case '\'': safe += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') safe += c;
    }
  }
  return safe;
}

std::string element(std::string_view tag, std::string_view attributes, std::string_view content) {
  std::string made = "<" + std::string(tag);
  if (!attributes.empty()) made += " " + std::string(attributes);
  return made + ">" + std::string(content) + "</" + std::string(tag) + ">\n";
}

std::string markup(const Table& table) {
  std::string head;
  for (const std::string& cell : table.head) head += element("th", "scope=\"col\"", cell);
  std::string body;
  for (const std::vector<std::string>& row : table.rows) {
    std::string cells;
    for (std::size_t i = 0; i < row.size(); ++i)
      cells += i == 0 ? element("th", "scope=\"row\"", row[i]) : element("td", "", row[i]);
    body += element("tr", "", cells);
  }
  const std::string caption = table.caption.empty() ? "" : element("caption", "", escaped(table.caption));
  return element(
      "div",
      "class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"" +
          escaped(table.caption.empty() ? "table" : table.caption) + "\"",
      element("table", "",
              caption + element("thead", "", element("tr", "", head)) + element("tbody", "", body)));
}

void Svg::rect(Point at, Tenths width, Tenths height, std::string_view css, std::string_view tip) {
  body_ += with_tip(
      "rect",
      attribute("x", at.x) + attribute("y", at.y) + attribute("width", width) + attribute("height", height),
      css, tip);
}

void Svg::line(Point from, Point to, std::string_view css) {
  body_ += with_tip(
      "line",
      attribute("x1", from.x) + attribute("y1", from.y) + attribute("x2", to.x) + attribute("y2", to.y), css,
      {});
}

void Svg::polyline(const std::vector<Point>& points, std::string_view css) {
  if (points.empty()) return;
  if (points.size() == 1) return dot(points.front(), 12, std::string(css) + " point");
  std::string list;
  for (const Point& point : points) {
    if (!list.empty()) list += ' ';
    list += px(point.x) + "," + px(point.y);
  }
  body_ += "<polyline points=\"" + list + "\" class=\"line " + std::string(css) + "\"/>";
}

void Svg::dot(Point at, Tenths radius, std::string_view css, std::string_view tip) {
  body_ +=
      with_tip("circle", attribute("cx", at.x) + attribute("cy", at.y) + attribute("r", radius), css, tip);
}

void Svg::text(Point at, Anchor anchor, std::string_view css, std::string_view words) {
  constexpr const char* kAnchors[] = {"start", "middle", "end"};
  body_ += "<text" + attribute("x", at.x) + attribute("y", at.y) + " text-anchor=\"" +
           kAnchors[static_cast<std::size_t>(anchor)] + "\" class=\"" + std::string(css) + "\">" +
           escaped(words) + "</text>";
}

std::string Svg::markup(Tenths height) const {
  return "<svg viewBox=\"0 0 " + px(width_) + " " + px(height) + "\" role=\"img\" aria-label=\"" +
         escaped(title_ + ". " + description_) + "\">" + body_ + "</svg>\n";
}

Svg::Tenths width_of(std::string_view words) {
  Svg::Tenths width = 0;
  for (const char c : words) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) width += 66;  // one a code point
  }
  return width;
}

void spread(std::vector<Label>& labels, Svg::Tenths top, Svg::Tenths bottom) {
  constexpr Svg::Tenths kApart = 130;
  std::stable_sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
  Svg::Tenths lowest = top;
  for (Label& label : labels) {
    label.y = std::max(label.y, lowest);
    lowest = label.y + kApart;
  }
  Svg::Tenths highest = bottom;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    label->y = std::min(label->y, highest);
    highest = label->y - kApart;
  }
}

}  // namespace sim::page
