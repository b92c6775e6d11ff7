// SPDX-License-Identifier: MIT
#include "ui/output/escapeparser.h"

#include <algorithm>

namespace isol8::ui {

namespace {

constexpr char escape = 0x1b;
constexpr char bell = 0x07;
constexpr char cancelByte = 0x18;
constexpr char substitute = 0x1a;
constexpr int maxParameter = 65535;
constexpr int maxControlBytes = 256;

} // namespace

EscapeEffect EscapeParser::take(char byte)
{
    if (byte == cancelByte || byte == substitute) {
        m_state = State::Ground;
        return {};
    }
    switch (m_state) {
    case State::Ground:
        return {};
    case State::Escape:
        m_parameters.fill(-1);
        m_parameterCount = 0;
        m_isPrivate = false;
        m_length = 0;
        if (byte == '[')
            m_state = State::Control;
        else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
            m_state = State::String;
        else if (byte >= 0x20 && byte <= 0x2f)
            m_state = State::Intermediate;
        else if (byte != escape)
            m_state = State::Ground;
        return {};
    case State::Intermediate:
        if (byte < 0x20 || byte > 0x2f)
            m_state = State::Ground;
        return {};
    case State::Control:
        if (byte >= 0x40 && byte <= 0x7e) {
            m_state = State::Ground;
            return endControl(byte);
        }
        if (byte == escape)
            m_state = State::Escape;
        else if (byte < 0x20 || ++m_length > maxControlBytes)
            m_state = State::Ground;
        else
            takeParameter(byte);
        return {};
    case State::String:
        if (byte == bell || ++m_length > maxStringBytes)
            m_state = State::Ground;
        else if (byte == escape)
            m_state = State::StringEscape;
        return {};
    case State::StringEscape:
        m_state = byte == '\\' ? State::Ground : State::String;
        return {};
    }
    return {};
}

void EscapeParser::takeParameter(char byte)
{
    if (byte >= '0' && byte <= '9') {
        if (m_parameterCount == 0)
            m_parameterCount = 1;
        auto& value = m_parameters[m_parameterCount - 1];
        value = std::min(std::max(value, 0) * 10 + (byte - '0'), maxParameter);
    } else if (byte == ';' || byte == ':') {
        m_parameterCount = std::min(std::max(m_parameterCount, 1) + 1, maxParameters);
    } else {
        m_isPrivate = true;
    }
}

EscapeEffect EscapeParser::endControl(char final)
{
    using Kind = EscapeEffect::Kind;
    if (m_isPrivate)
        return {};
    const int first = m_parameters[0];
    switch (final) {
    case 'm':
        selectStyle();
        return { Kind::Style };
    case 'K':
        return { first == 1  ? Kind::EraseToStart
                : first == 2 ? Kind::EraseLine
                             : Kind::EraseToEnd };
    case 'G':
    case '`':
        return { Kind::MoveTo, std::max(first, 1) - 1 };
    case 'C':
        return { Kind::MoveBy, std::max(first, 1) };
    case 'D':
        return { Kind::MoveBy, -std::max(first, 1) };
    default:
        return {};
    }
}

int EscapeParser::readColour(int at, TextColour& colour) const
{
    const auto parameter = [this](int index) {
        return index < m_parameterCount ? std::max(m_parameters[index], 0) : 0;
    };
    if (parameter(at) == 5) {
        colour = { TextColour::Kind::Palette, quint32(std::min(parameter(at + 1), 255)) };
        return at + 1;
    }
    if (parameter(at) == 2) {
        quint32 value = 0;
        for (int i = 1; i <= 3; ++i)
            value = value << 8 | quint32(std::min(parameter(at + i), 255));
        colour = { TextColour::Kind::Rgb, value };
        return at + 3;
    }
    return at;
}

void EscapeParser::selectStyle()
{
    const auto add = [this](int attribute) { m_style.attributes |= quint8(attribute); };
    const auto remove = [this](int attribute) { m_style.attributes &= quint8(~attribute); };
    for (int i = 0; i < std::max(m_parameterCount, 1); ++i) {
        const int value = std::max(m_parameters[i], 0);
        if (value == 0)
            m_style = {};
        else if (value == 1)
            add(TextStyle::Bold);
        else if (value == 2)
            add(TextStyle::Faint);
        else if (value == 3)
            add(TextStyle::Italic);
        else if (value == 4 || value == 21)
            add(TextStyle::Underline);
        else if (value == 7)
            add(TextStyle::Inverse);
        else if (value == 8)
            add(TextStyle::Concealed);
        else if (value == 9)
            add(TextStyle::StruckOut);
        else if (value == 22)
            remove(TextStyle::Bold | TextStyle::Faint);
        else if (value == 23)
            remove(TextStyle::Italic);
        else if (value == 24)
            remove(TextStyle::Underline);
        else if (value == 27)
            remove(TextStyle::Inverse);
        else if (value == 28)
            remove(TextStyle::Concealed);
        else if (value == 29)
            remove(TextStyle::StruckOut);
        else if (value >= 30 && value <= 37)
            m_style.foreground = { TextColour::Kind::Palette, quint32(value - 30) };
        else if (value == 38)
            i = readColour(i + 1, m_style.foreground);
        else if (value == 39)
            m_style.foreground = {};
        else if (value >= 40 && value <= 47)
            m_style.background = { TextColour::Kind::Palette, quint32(value - 40) };
        else if (value == 48)
            i = readColour(i + 1, m_style.background);
        else if (value == 49)
            m_style.background = {};
        else if (value >= 90 && value <= 97)
            m_style.foreground = { TextColour::Kind::Palette, quint32(value - 90 + 8) };
        else if (value >= 100 && value <= 107)
            m_style.background = { TextColour::Kind::Palette, quint32(value - 100 + 8) };
    }
}

} // namespace isol8::ui
