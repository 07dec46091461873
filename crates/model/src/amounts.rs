//! Amounts of a resource as a person would write them.

use super::instance::Resource;

/// Binary multiples of a byte, the largest first.
const MULTIPLES: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];

impl Resource {
    /// So many steps in words: bytes in the largest binary multiple of which they are whole
    /// quarters (`1.5 GiB`, `9288 MiB`), everything else in its unit (`0.25`).
    pub fn show(&self, steps: i64) -> String {
        let number = self.scale.show(steps);
        if self.unit.as_deref() != Some("byte") {
            return number;
        }
        let Ok(bytes) = number.parse::<i64>() else { return format!("{number} bytes") };
        let fits = |(_, power): &&(&str, u32)| {
            let quarter = 1i64 << (power - 2);
            bytes % quarter == 0 && bytes.abs() >= 4 * quarter
        };
        match MULTIPLES.iter().find(fits) {
            Some((name, power)) => {
                let quarters = bytes >> (power - 2);
                let rest = ["", ".25", ".5", ".75"][(quarters.unsigned_abs() % 4) as usize];
                format!("{}{rest} {name}", quarters / 4)
            }
            None if bytes == 0 => "0".to_owned(),
            None => format!("{bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Draft;

    #[test]
    fn bytes_are_written_as_people_write_them() {
        let mut draft = Draft::default();
        draft.resource("memory");
        draft.resources[0].unit = Some("byte".to_owned());
        draft.tasks.push(crate::TaskDraft { id: "t".to_owned(), ..Default::default() });
        draft.nodes.push(crate::NodeDraft { id: "n".to_owned(), ..Default::default() });
        let instance = draft.build().unwrap();
        let memory = &instance.resources()[0];
        for (bytes, words) in [
            (0, "0"),
            (1000, "1000 bytes"),
            (1024, "1 KiB"),
            (64 << 20, "64 MiB"),
            (4_831_838_208, "4.5 GiB"),
            (9_739_173_888, "9288 MiB"),
            (-(3 << 29), "-1.5 GiB"),
            (1 << 50, "1024 TiB"),
            (i64::MAX, "9223372036854775807 bytes"),
        ] {
            assert_eq!(memory.show(bytes), words);
        }
    }
}
