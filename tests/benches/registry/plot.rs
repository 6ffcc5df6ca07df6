//! Cost against size, as SVG.

use std::error::Error;

use plotters::prelude::*;

use crate::scale::count;

/// Lines over one another.
pub struct Drawing {
    pub title: &'static str,
    pub series: Vec<Series>,
}

/// A line of the drawing.
pub struct Series {
    pub name: &'static str,
    /// Versions and microseconds.
    pub points: Vec<(u64, f64)>,
}

const SIZE: (u32, u32) = (720, 400);

/// As bright on a dark page as on a white one.
const COLORS: [RGBColor; 5] = [
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
    RGBColor(214, 39, 40),
    RGBColor(148, 103, 189),
];

/// The axis of the versions is logarithmic; that of the cost begins at 0.
pub fn draw(drawing: &Drawing) -> Result<String, Box<dyn Error>> {
    let Drawing { title, series } = drawing;
    let points = || series.iter().flat_map(|series| &series.points);
    let fewest = points().map(|(versions, _)| *versions).min().unwrap_or(1);
    let most = points().map(|(versions, _)| *versions).max().unwrap_or(2);
    let slowest = points().map(|(_, micros)| *micros).fold(0.0, f64::max);

    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(
                (fewest as f64..most as f64 * 1.1).log_scale(),
                // Room for the names of the lines.
                0.0..slowest * 1.5,
            )?;
        chart
            .configure_mesh()
            .x_desc("versions")
            .y_desc("µs")
            .x_label_formatter(&|versions| count(versions.round() as u64))
            .y_label_formatter(&|micros| format!("{micros:.0}"))
            .x_labels(4)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (line, color) in series.iter().zip(COLORS.iter().cycle()) {
            let points = || {
                line.points
                    .iter()
                    .map(|(versions, micros)| (*versions as f64, *micros))
            };
            chart
                .draw_series(LineSeries::new(points(), color.stroke_width(2)))?
                .label(line.name)
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
            chart.draw_series(points().map(|point| Circle::new(point, 3, color.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}
